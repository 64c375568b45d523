/* Grouping the blocks of a snapshot, which statistics and differences do alike. */
#ifndef ASNAP_MODEL_GROUP_H
#define ASNAP_MODEL_GROUP_H

#include "blocks.h"
#include "snapshot.h"
#include "traceback_key.h"

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
    /* What the key tells groups apart by: a number of the store or of the group. By
     * traceback it is the member that holds most. */
    uint32_t id;
    uint32_t frame; /* the frame that holds most; ASNAP_NONE where the key shows none */
    uint32_t function_count;
    uint32_t place; /* of its weight, where the blocks are a sample */
};

struct asnap_groups {
    struct asnap_group *rows;
    uint32_t count;
    /* What the groups stand for, of which their sizes and counts are made; NULL: the blocks are no
     * sample. Rows can be put into any order. */
    struct asnap_weight *weights;
    /* Where the caller has set it before: the id of the group of each block, by their places, or by
     * traceback that of each traceback. It stays the caller's. */
    uint32_t *numbers;
};

void asnap_groups_deinit(struct asnap_groups *groups);

/* Adds weights to a group that has one, and what this makes of its size and count. False: too
 * large.
 */
bool asnap_group_add_weight(struct asnap_groups *groups, struct asnap_group *group,
                            const struct asnap_weight *weight);

/* What is known of a group's size and count. */
struct asnap_estimate asnap_group_estimate(const struct asnap_groups *groups,
                                           const struct asnap_group *group);

/* How frames are put into groups. */
struct asnap_frame_grouping {
    /* The number of a frame's group, less than `id_count`, by which the store's frame_order
     * rises; or NULL, and groups are numbered in the order of `compare`. */
    uint32_t (*id)(const struct asnap_store *store, uint32_t frame);
    size_t (*id_count)(const struct asnap_store *store);
    /* 0: both frames are in one group. Frames of one function stand together in it. */
    int (*compare)(const struct asnap_store *store, uint32_t left, uint32_t right);
    bool keeps_frame; /* the group's `frame` is set */
};

/* Groups by frame, rows by ascending id. `cumulative` counts a block once for each frame
 * of its traceback (tracemalloc: Snapshot._group_by), else for the one that it is attributed
 * to. INVALID_ARGUMENT where a sum exceeds INT64_MAX. */
struct asnap_error *asnap_group_by_frame(const struct asnap_snapshot *snapshot,
                                         const struct asnap_frame_grouping *grouping,
                                         bool cumulative, struct asnap_groups *groups);

/* The number of the group of each frame of a store; free() `ids`. */
struct asnap_error *asnap_frame_groups(const struct asnap_store *store,
                                       const struct asnap_frame_grouping *grouping, uint32_t **ids,
                                       size_t *id_count);

/* Groups by traceback, rows in no order. */
struct asnap_error *asnap_group_by_traceback(const struct asnap_ranked_store *ranked,
                                             const struct asnap_total_list *totals,
                                             struct asnap_groups *groups);

/* Groups by a number of the blocks themselves, less than `number_count`, which is the group's
 * id; rows by ascending id. */
struct asnap_error *
asnap_group_by_block(const struct asnap_snapshot *snapshot,
                     uint32_t (*number)(const void *context, const struct asnap_trace *trace),
                     const void *context, uint32_t number_count, struct asnap_groups *groups);

#endif
