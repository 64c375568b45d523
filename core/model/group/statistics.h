/* What statistics are made of. */
#ifndef ASNAP_MODEL_STATISTICS_H
#define ASNAP_MODEL_STATISTICS_H

#include "details.h"
#include "keys.h"

/* What a graph tells of the rows. */
struct asnap_statistics_beside {
    enum asnap_beside kind;
    struct asnap_beside_sum *sums; /* of each row; NULL where the kind is NOTHING */
    char **notes;                  /* of the graph: they come before those of the snapshot */
    size_t note_count;
};

struct asnap_statistics {
    struct asnap_store *store;
    enum asnap_key key;
    const struct asnap_key_kind *kind;
    bool cumulative;
    uint64_t sample_period; /* 0: every block is there */
    uint64_t total_size;
    uint64_t total_count;
    struct asnap_estimate total;
    struct asnap_groups groups; /* in their final order */
    struct asnap_details *details;
    struct asnap_statistics_beside beside;
};

/* Of each trace of the snapshot that the statistics were made from, not cumulatively, in their
 * order: the place of its row. */
struct asnap_error *asnap_statistics_row_numbers(const struct asnap_statistics *statistics,
                                                 const struct asnap_snapshot *snapshot,
                                                 uint32_t *numbers);

#endif
