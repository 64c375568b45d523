#include "frame_labels.h"

#include <stdlib.h>

/* Frames that are asked for at once. */
enum { AT_ONCE = 1024 };

struct asnap_error *asnap_frame_labels(const struct asnap_snapshot *snapshot,
                                       struct asnap_strings *strings, asnap_frame_label *label,
                                       const void *context, uint32_t **labels)
{
    struct asnap_frame frames[AT_ONCE];
    size_t count = asnap_snapshot_frame_count(snapshot);
    uint32_t *made = calloc(count + 1, sizeof(*made));
    struct asnap_error *error = made == NULL ? asnap_error_no_memory() : NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        size_t left = count - i;
        if (i % AT_ONCE == 0)
            asnap_snapshot_frames(snapshot, (uint32_t)i, left < AT_ONCE ? left : AT_ONCE, frames);
        label(&frames[i % AT_ONCE], strings, context);
        error = asnap_strings_end(strings, &made[i]);
    }
    if (error != NULL) {
        free(made);
        return error;
    }
    *labels = made;
    return NULL;
}

static void label_function(const struct asnap_frame *frame, struct asnap_strings *strings,
                           const void *escaped)
{
    if (frame->function != NULL) {
        asnap_strings_name(strings, frame->function, escaped);
    } else {
        asnap_strings_name(strings, frame->filename, escaped);
        if (frame->lineno != 0) {
            asnap_strings_bytes(strings, ":", 1);
            asnap_strings_number(strings, frame->lineno);
        }
    }
}

struct asnap_error *asnap_frame_functions(const struct asnap_snapshot *snapshot,
                                          struct asnap_strings *strings, const char *escaped,
                                          uint32_t **labels)
{
    return asnap_frame_labels(snapshot, strings, label_function, escaped, labels);
}

struct asnap_error *asnap_frame_line(const struct asnap_frame *frame, struct asnap_strings *strings,
                                     uint32_t *label)
{
    if (frame->lineno == 0 && frame->function != NULL) {
        asnap_strings_name(strings, frame->function, "");
        asnap_strings_bytes(strings, " in ", 4);
    }
    asnap_strings_name(strings, frame->filename, "");
    if (frame->lineno != 0) {
        asnap_strings_bytes(strings, ":", 1);
        asnap_strings_number(strings, frame->lineno);
    }
    return asnap_strings_end(strings, label);
}
