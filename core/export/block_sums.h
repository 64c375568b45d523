/* Blocks that are alike summed up: of the same stack and size, thread, domain, age and class. */
#ifndef ASNAP_EXPORT_BLOCK_SUMS_H
#define ASNAP_EXPORT_BLOCK_SUMS_H

#include "job.h"

struct asnap_block_sum {
    uint64_t size; /* of each of the blocks */
    uint32_t traceback;
    uint32_t thread; /* place among the snapshot's threads */
    uint32_t domain;
    uint16_t reach; /* asnap_reach_class */
    uint16_t age;   /* asnap_age_step */
    uint64_t count; /* blocks; of a sample, those that are in it */
    /* What they stand for in a sample, rounded, at most INT64_MAX; else the same and their bytes.
     */
    uint64_t total_count;
    uint64_t total_size;
};

/* In the order in which the first of each comes; free() them. Fails with NO_MEMORY only. */
struct asnap_error *asnap_block_sums_create(const struct asnap_export_job *job,
                                            struct asnap_block_sum **sums, size_t *count);

#endif
