/* Grouping the blocks of a snapshot, which statistics and differences do alike. */
#ifndef ASNAP_MODEL_GROUP_H
#define ASNAP_MODEL_GROUP_H

#include "blocks.h"
#include "snapshot.h"
#include "traceback_key.h"

struct asnap_sum {
    uint64_t size;
    uint64_t count;
};

/* Above 0 where `left` is larger: by size, then by count. */
static inline int asnap_sum_compare(const struct asnap_sum *left, const struct asnap_sum *right)
{
    if (left->size != right->size)
        return left->size > right->size ? 1 : -1;
    return (left->count > right->count) - (left->count < right->count);
}

struct asnap_group {
    uint64_t size; /* at most INT64_MAX */
    uint64_t count;
    /* By file and line: the number of the file or location. By traceback: that of
     * the member that holds most. */
    uint32_t id;
    uint32_t frame; /* by line: the frame that holds most; else ASNAP_NONE */
    uint32_t function_count;
};

struct asnap_groups {
    struct asnap_group *rows;
    uint32_t count;
};

void asnap_groups_deinit(struct asnap_groups *groups);

/* INVALID_ARGUMENT where there is no such way of grouping. */
struct asnap_error *asnap_group_check(enum asnap_key key, bool cumulative);

/* Groups by file or line, rows by ascending id. `cumulative` counts a block once
 * for each frame of its traceback (tracemalloc: Snapshot._group_by), else for the
 * most recent one that no skip rule passes over. INVALID_ARGUMENT where a sum exceeds
 * INT64_MAX. */
struct asnap_error *asnap_group_by_frame(const struct asnap_snapshot *snapshot, enum asnap_key key,
                                         bool cumulative, struct asnap_groups *groups);

/* Groups by traceback, rows in no order. */
struct asnap_error *asnap_group_by_traceback(const struct asnap_ranked_store *ranked,
                                             const struct asnap_total *totals, size_t total_count,
                                             struct asnap_groups *groups);

/* The size, count and frames of a group as a public row. */
struct asnap_statistic asnap_group_statistic(const struct asnap_group *group,
                                             const struct asnap_store *store, enum asnap_key key);

/* What a group shows of its `index`-th frame, the most recent being 0. */
struct asnap_frame asnap_group_frame(const struct asnap_group *group,
                                     const struct asnap_store *store, enum asnap_key key,
                                     size_t index);

#endif
