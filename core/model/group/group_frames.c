#include <stdlib.h>

#include "group.h"

static bool add(struct asnap_sum *sum, uint64_t size, uint64_t count)
{
    if (size > (uint64_t)INT64_MAX - sum->size)
        return false;
    sum->size += size;
    sum->count += count;
    return true;
}

/* Sums up by frame; false where a sum is too large. */
static bool sum_frames(const struct asnap_snapshot *snapshot, bool cumulative,
                       struct asnap_sum *sums)
{
    const struct asnap_store *store = snapshot->store;
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const struct asnap_total *total = &snapshot->totals[i];
        const uint32_t *frame_ids = asnap_store_frame_ids(store, total->traceback);
        uint32_t first = asnap_skipped_frames(snapshot->skipped, total->traceback);
        uint32_t end = first + 1;
        if (cumulative) {
            first = 0;
            end = store->tracebacks[total->traceback].frame_count;
        }
        for (uint32_t j = first; j < end; j++) {
            if (!add(&sums[frame_ids[j]], total->size, total->count))
                return false;
        }
    }
    return true;
}

/* Of the frames of one location, that of the function which holds most: of equals
 * the one with the smaller name, and any named one before the unnamed. */
static uint32_t choose_frame(const struct asnap_store *store, const struct asnap_sum *sums,
                             const uint32_t *frames, size_t count)
{
    uint32_t best = ASNAP_NONE;
    uint32_t best_function = ASNAP_NONE;
    struct asnap_sum best_sum = {0};
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        uint32_t function = store->frames[frames[begin]].function;
        uint32_t frame = frames[begin];
        struct asnap_sum sum = {0};
        for (; end < count && store->frames[frames[end]].function == function; end++) {
            if (asnap_sum_compare(&sums[frames[end]], &sums[frame]) > 0)
                frame = frames[end];
            sum.size += sums[frames[end]].size;
            sum.count += sums[frames[end]].count;
        }
        int order = (function != ASNAP_NONE) - (best_function != ASNAP_NONE);
        if (order == 0)
            order = asnap_sum_compare(&sum, &best_sum);
        if (order == 0)
            order = asnap_function_compare(best_function, function);
        if (best == ASNAP_NONE || order > 0) {
            best = frame;
            best_function = function;
            best_sum = sum;
        }
    }
    return best;
}

struct grouping {
    const struct asnap_store *store;
    const struct asnap_sum *sums;
    uint32_t *seen; /* by function: the number of the last group that has it, plus 1 */
    enum asnap_key key;
    struct asnap_groups groups;
};

static uint32_t group_id(const struct grouping *grouping, uint32_t frame)
{
    uint32_t location = grouping->store->frames[frame].location;
    return grouping->key == ASNAP_KEY_FILENAME ? grouping->store->locations[location].file
                                               : location;
}

/* Makes a row of frames that are alike; false where the sum is too large. */
static bool add_group(struct grouping *grouping, const uint32_t *frames, size_t count)
{
    struct asnap_group group = {.id = group_id(grouping, frames[0]), .frame = ASNAP_NONE};
    struct asnap_sum sum = {0};
    for (size_t i = 0; i < count; i++) {
        const struct asnap_sum *part = &grouping->sums[frames[i]];
        uint32_t function = grouping->store->frames[frames[i]].function;
        if (!add(&sum, part->size, part->count))
            return false;
        if (function != ASNAP_NONE && grouping->seen[function] != grouping->groups.count + 1) {
            grouping->seen[function] = grouping->groups.count + 1;
            group.function_count++;
        }
    }
    group.size = sum.size;
    group.count = sum.count;
    if (grouping->key == ASNAP_KEY_LINENO)
        group.frame = choose_frame(grouping->store, grouping->sums, frames, count);
    grouping->groups.rows[grouping->groups.count++] = group;
    return true;
}

/* `frames`: those that hold blocks, in the store's order. */
static bool add_groups(struct grouping *grouping, const uint32_t *frames, size_t count)
{
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        uint32_t id = group_id(grouping, frames[begin]);
        while (end < count && group_id(grouping, frames[end]) == id)
            end++;
        if (!add_group(grouping, frames + begin, end - begin))
            return false;
    }
    return true;
}

/* Puts the frames that hold blocks into `held`, in the store's order; returns how many.
 * Most frames only lead to those. */
static size_t pick_frames(const struct asnap_store *store, const struct asnap_sum *sums,
                          uint32_t *held)
{
    size_t count = 0;
    for (size_t i = 0; i < store->frame_count; i++) {
        uint32_t frame = store->frame_order[i];
        held[count] = frame;
        count += sums[frame].count != 0;
    }
    return count;
}

static struct asnap_error *too_large(void)
{
    return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                              "cannot sum up the snapshot: a group has more than "
                              "9223372036854775807 bytes: leave out cumulative");
}

struct asnap_error *asnap_group_by_frame(const struct asnap_snapshot *snapshot, enum asnap_key key,
                                         bool cumulative, struct asnap_groups *groups)
{
    const struct asnap_store *store = snapshot->store;
    size_t most = key == ASNAP_KEY_FILENAME ? store->files.count : store->location_count;
    struct asnap_sum *sums = calloc(store->frame_count + 1, sizeof(*sums));
    uint32_t *held = reallocarray(NULL, store->frame_count + 1, sizeof(*held));
    struct grouping grouping = {
        .store = store,
        .sums = sums,
        .seen = calloc((size_t)store->functions.count + 1, sizeof(*grouping.seen)),
        .key = key,
        .groups.rows = reallocarray(NULL, most + 1, sizeof(*grouping.groups.rows)),
    };
    struct asnap_error *error = NULL;
    if (sums == NULL || held == NULL || grouping.seen == NULL || grouping.groups.rows == NULL)
        error = asnap_error_no_memory();
    else if (!sum_frames(snapshot, cumulative, sums) ||
             !add_groups(&grouping, held, pick_frames(store, sums, held)))
        error = too_large();
    free(sums);
    free(held);
    free(grouping.seen);
    if (error == NULL)
        *groups = grouping.groups;
    else
        asnap_groups_deinit(&grouping.groups);
    return error;
}
