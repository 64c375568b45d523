/* What a snapshot is built from, for the files that implement asnap_builder. */
#ifndef ASNAP_MODEL_BUILDER_H
#define ASNAP_MODEL_BUILDER_H

#include "store.h"

struct asnap_builder {
    struct asnap_store *store; /* NULL once finished */
    size_t location_capacity;
    size_t frame_capacity;
    size_t frame_id_capacity;
    size_t traceback_capacity;
    struct asnap_intern location_index;
    struct asnap_intern frame_index;
    struct asnap_intern traceback_index;
    struct asnap_trace *traces;
    size_t trace_count;
    size_t trace_capacity;
    uint64_t size; /* bytes in all traces, at most INT64_MAX */
};

/* INVALID_ARGUMENT, with what a caller has got wrong: which element, and its value. */
#define ASNAP_BUILDER_INVALID(...)                                                                 \
    asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "cannot build the snapshot: " __VA_ARGS__)

/* Fails where the builder is finished. */
struct asnap_error *asnap_builder_check(const struct asnap_builder *builder);

#endif
