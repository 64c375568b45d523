#include "known_graph.h"

#include <string.h>

static struct asnap_error *try_known(struct asnap_snapshot **snapshot)
{
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    const struct asnap_frame frame = {.filename = "/src/a.c", .lineno = 7};
    uint32_t id = 0;
    uint32_t traceback = 0;
    if (error == NULL)
        error = asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id);
    if (error == NULL)
        error = asnap_builder_traceback(builder, &id, 1, 1, &traceback);
    for (uint32_t i = 0; error == NULL && i < KNOWN; i++) {
        /* In no order of address. */
        struct asnap_trace trace = {.address = HEAP_BASE + 4096 * (i * 7 % KNOWN),
                                    .size = (i + 1) * 16,
                                    .traceback_id = traceback};
        if (i == KNOWN - 1)
            trace.address = UINT64_C(1) << 50;
        error = asnap_builder_traces(builder, &trace, 1);
    }
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

struct asnap_error *known_init(struct known *known)
{
    static const uint8_t classes[KNOWN] = {
        ASNAP_REACH_REACHABLE, ASNAP_REACH_REACHABLE, ASNAP_REACH_POSSIBLE,
        ASNAP_REACH_POSSIBLE,  ASNAP_REACH_DEFINITE,  ASNAP_REACH_INDIRECT,
        ASNAP_REACH_INDIRECT,  ASNAP_REACH_DEFINITE,  ASNAP_REACH_UNKNOWN};
    static const struct asnap_kept_retained retained[KNOWN] = {
        {48, 2, UINT32_MAX}, {32, 1, 0},           {112, 2, UINT32_MAX},
        {64, 1, 2},          {288, 3, UINT32_MAX}, {208, 2, 4},
        {112, 1, 5},         {128, 1, UINT32_MAX}, {0, 0, UINT32_MAX}};
    static const struct asnap_kept_leak leaks[] = {
        {208, 4, 4, 2, 2}, {0, 5, 4, 0, 0}, {0, 6, 4, 0, 0}, {0, 7, 7, 0, 0}};
    static const struct asnap_kept_pointer pointers[] = {
        {2, 3 | ASNAP_KEPT_INSIDE}, {4, 5}, {5, 6}, {5, 4}};
    *known = (struct known){.notes = {"12.0 MiB of roots are not in this core"}};
    memcpy(known->classes, classes, sizeof(classes));
    memcpy(known->retained, retained, sizeof(retained));
    memcpy(known->leaks, leaks, sizeof(leaks));
    memcpy(known->pointers, pointers, sizeof(pointers));
    known->parts = (struct asnap_graph_parts){
        .count = KNOWN,
        .sums = {{48, 2}, {112, 2}, {208, 2}, {208, 2}},
        .classes = known->classes,
        .retained = known->retained,
        .leaks = known->leaks,
        .leak_count = 4,
        .pointers = known->pointers,
        .pointer_count = 4,
        .notes = known->notes,
        .note_count = 1,
    };
    return try_known(&known->snapshot);
}

void known_deinit(struct known *known)
{
    asnap_snapshot_destroy(known->snapshot);
}
