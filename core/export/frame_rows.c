#include "frame_rows.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* Frames that are asked for at once. */
enum { AT_ONCE = 256 };

static struct asnap_error *add_string(struct asnap_frame_rows *rows, const char *name, uint32_t *id)
{
    asnap_strings_name(rows->strings, name == NULL ? "" : name, "");
    return asnap_strings_end(rows->strings, id);
}

static bool is_same_module(const void *context, uint32_t id)
{
    const struct asnap_frame_rows *rows = context;
    return memcmp(&rows->modules[id], &rows->modules[rows->module_count], sizeof(*rows->modules)) ==
           0;
}

static struct asnap_error *find_module(struct asnap_frame_rows *rows,
                                       const struct asnap_place *place, uint32_t *id)
{
    struct asnap_module_row row;
    *id = ASNAP_NONE;
    if (place->module == NULL)
        return NULL;
    struct asnap_error *error = add_string(rows, place->module, &row.path);
    if (error == NULL)
        error = add_string(rows, place->build_id, &row.build_id);
    if (error != NULL)
        return error;
    struct asnap_module_row *grown = asnap_grow(rows->modules, &rows->module_capacity,
                                                (size_t)rows->module_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    rows->modules = grown;
    grown[rows->module_count] = row;
    uint32_t hash = asnap_hash_bytes(&row, sizeof(row));
    *id = asnap_intern_find(&rows->module_index, hash, is_same_module, rows);
    if (*id != ASNAP_NONE)
        return NULL;
    error = asnap_intern_reserve(&rows->module_index);
    if (error != NULL)
        return error;
    *id = rows->module_count++;
    asnap_intern_add(&rows->module_index, hash, *id);
    return NULL;
}

static bool is_same_frame(const void *context, uint32_t id)
{
    const struct asnap_frame_rows *rows = context;
    return memcmp(&rows->frames[id], &rows->frames[rows->frame_count], sizeof(*rows->frames)) == 0;
}

static struct asnap_error *find_row(struct asnap_frame_rows *rows,
                                    const struct asnap_frame_row *row, uint32_t *id)
{
    struct asnap_frame_row *grown = asnap_grow(rows->frames, &rows->frame_capacity,
                                               (size_t)rows->frame_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    rows->frames = grown;
    grown[rows->frame_count] = *row;
    uint32_t hash = asnap_hash_bytes(row, sizeof(*row));
    *id = asnap_intern_find(&rows->frame_index, hash, is_same_frame, rows);
    if (*id != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(&rows->frame_index);
    if (error != NULL)
        return error;
    *id = rows->frame_count++;
    asnap_intern_add(&rows->frame_index, hash, *id);
    return NULL;
}

static struct asnap_error *find_frame(struct asnap_frame_rows *rows,
                                      const struct asnap_frame *frame,
                                      const struct asnap_place *place, uint32_t *id)
{
    struct asnap_frame_row row = {
        .offset = place->offset,
        .lineno = frame->lineno,
        .named_by = frame->named_by,
        .inlined = frame->inlined,
    };
    struct asnap_error *error = add_string(rows, frame->function, &row.function);
    if (error == NULL)
        error = add_string(rows, frame->filename, &row.filename);
    if (error == NULL)
        error = find_module(rows, place, &row.module);
    return error != NULL ? error : find_row(rows, &row, id);
}

struct asnap_error *asnap_frame_rows_add(struct asnap_frame_rows *rows,
                                         const struct asnap_snapshot *snapshot, uint32_t **labels)
{
    struct asnap_frame frames[AT_ONCE];
    struct asnap_place places[AT_ONCE];
    size_t count = asnap_snapshot_frame_count(snapshot);
    uint32_t *made = calloc(count + 1, sizeof(*made));
    struct asnap_error *error = made == NULL ? asnap_error_no_memory() : NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        size_t part = count - i < AT_ONCE ? count - i : AT_ONCE;
        if (i % AT_ONCE == 0) {
            asnap_snapshot_frames(snapshot, (uint32_t)i, part, frames);
            asnap_snapshot_places(snapshot, (uint32_t)i, part, places);
        }
        error = find_frame(rows, &frames[i % AT_ONCE], &places[i % AT_ONCE], &made[i]);
    }
    if (error != NULL) {
        free(made);
        return error;
    }
    *labels = made;
    return NULL;
}

void asnap_frame_rows_deinit(struct asnap_frame_rows *rows)
{
    free(rows->frames);
    free(rows->modules);
    asnap_intern_deinit(&rows->frame_index);
    asnap_intern_deinit(&rows->module_index);
}
