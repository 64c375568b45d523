/* Distinct frames and modules of one snapshot or of two, by what they are called and where their
 * code is, whatever their addresses were. */
#ifndef ASNAP_EXPORT_FRAME_ROWS_H
#define ASNAP_EXPORT_FRAME_ROWS_H

#include "allocsnap_export.h"
#include "export_strings.h"

struct asnap_module_row {
    uint32_t path; /* strings */
    uint32_t build_id;
};

struct asnap_frame_row {
    uint64_t offset; /* asnap_place; 0: not known */
    uint32_t function;
    uint32_t filename;
    uint32_t module; /* place among the modules; ASNAP_NONE: not known */
    uint32_t lineno;
    uint32_t named_by;
    uint32_t inlined;
};

struct asnap_frame_rows {
    struct asnap_strings *strings; /* the empty one stands for what is not known */
    struct asnap_frame_row *frames;
    uint32_t frame_count;
    size_t frame_capacity;
    struct asnap_module_row *modules;
    uint32_t module_count;
    size_t module_capacity;
    struct asnap_intern frame_index;
    struct asnap_intern module_index;
};

/* Adds those of a snapshot; all zero but for the strings is an empty table. `labels` has the row of
 * each frame, to be freed. Fails with NO_MEMORY only. */
struct asnap_error *asnap_frame_rows_add(struct asnap_frame_rows *rows,
                                         const struct asnap_snapshot *snapshot, uint32_t **labels);
void asnap_frame_rows_deinit(struct asnap_frame_rows *rows);

#endif
