#include "debugger_names.h"

#include "error.h"

/* Whether nothing is lost by taking over what the debugger said. */
static bool is_better(const struct asnap_frame *frames, size_t count,
                      const struct asnap_named_pc *named)
{
    const struct asnap_frame *known = &named->frames[named->frame_count - 1];
    if (count == 0)
        return false;
    bool has_function = known->function != NULL && known->named_by != ASNAP_NAMED_NONE;
    return frames[0].lineno != 0 || (!has_function && frames[0].function != NULL);
}

/* Copies the strings of a frame into the store. What the debugger does not know of the frame is
 * taken from `known`. */
static struct asnap_error *keep_frame(struct asnap_frame_store *store,
                                      const struct asnap_frame *known, bool is_outermost,
                                      struct asnap_frame *frame)
{
    struct asnap_error *error = NULL;
    const char *text = frame->filename;
    if (text == NULL || frame->lineno == 0) {
        frame->filename = known->filename;
        frame->lineno = 0;
    } else {
        error = asnap_frame_store_string(store, text, &frame->filename);
    }
    text = frame->function;
    if (text == NULL)
        frame->function = is_outermost ? known->function : NULL;
    else if (error == NULL)
        error = asnap_frame_store_string(store, text, &frame->function);
    frame->inlined = !is_outermost;
    frame->named_by = ASNAP_NAMED_DEBUGGER;
    return error;
}

struct asnap_error *asnap_debugger_name(const struct asnap_debugger *debugger,
                                        struct asnap_frame_store *store, uint64_t pc,
                                        const char *build_id, struct asnap_named_pc *named)
{
    struct asnap_frame frames[ASNAP_DEBUGGER_FRAMES_MAX] = {0};
    size_t count = 0;
    /* A compiler that merges calls gives the innermost no line: where they were inlined is known
     * all the same, and the debugger would say less. */
    for (size_t i = 0; i < named->frame_count; i++) {
        if (named->frames[i].lineno != 0)
            return NULL;
    }
    if (debugger->name(debugger->context, pc, build_id, frames, &count) != ASNAP_READ_OK)
        return asnap_error_interrupted("naming frames");
    if (count > ASNAP_DEBUGGER_FRAMES_MAX || !is_better(frames, count, named))
        return NULL;
    const struct asnap_frame *known = &named->frames[named->frame_count - 1];
    for (size_t i = 0; i < count; i++) {
        struct asnap_error *error = keep_frame(store, known, i == count - 1, &frames[i]);
        if (error != NULL)
            return error;
    }
    const struct asnap_named_pc *kept;
    struct asnap_error *error =
        asnap_frame_store_frames(store, frames, count, named->allocates, &kept);
    if (error == NULL)
        *named = *kept;
    return error;
}
