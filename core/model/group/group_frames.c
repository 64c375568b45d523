#include <stdlib.h>
#include <string.h>

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
                       struct asnap_sum *sums, struct asnap_weight *weights)
{
    const struct asnap_store *store = snapshot->store;
    const struct asnap_total_list *totals = snapshot->totals;
    for (size_t i = 0; i < totals->count; i++) {
        const struct asnap_total *total = &totals->totals[i];
        struct asnap_sum sum = asnap_total_sum(totals, i);
        const uint32_t *frame_ids = asnap_store_frame_ids(store, total->traceback);
        uint32_t first = asnap_skipped_frames(snapshot->attribution, total->traceback);
        uint32_t end = first + 1;
        if (cumulative) {
            first = 0;
            end = store->tracebacks[total->traceback].frame_count;
        }
        for (uint32_t j = first; j < end; j++) {
            if (!add(&sums[frame_ids[j]], sum.size, sum.count))
                return false;
            if (weights != NULL && !asnap_weight_add(&weights[frame_ids[j]], &totals->weights[i]))
                return false;
        }
    }
    return true;
}

/* Of the frames of one group, that of the function which holds most: of equals
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

/* Everything that grouping by frame needs. */
struct grouping {
    const struct asnap_store *store;
    const struct asnap_frame_grouping *how;
    uint32_t *order; /* all frames, those of a group together; NULL: the store's frame_order */
    uint32_t *ids;   /* by frame: the number of its group; NULL: how->id tells it */
    size_t id_count;
    struct asnap_sum *sums;       /* by frame; of a sample with parts of blocks */
    struct asnap_weight *weights; /* by frame; NULL: the blocks are no sample */
    uint32_t *seen; /* by function: the number of the last group that has it, plus 1 */
    struct asnap_groups groups;
};

static uint32_t group_id(const struct grouping *grouping, uint32_t frame)
{
    return grouping->ids != NULL ? grouping->ids[frame] : grouping->how->id(grouping->store, frame);
}

static int compare_frames(const void *left, const void *right, void *context)
{
    const struct grouping *grouping = context;
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    int order = grouping->how->compare(grouping->store, a, b);
    return order != 0 ? order : asnap_store_compare_frames(grouping->store, a, b);
}

/* Puts all frames in the order of their groups, and numbers these. */
static struct asnap_error *number_groups(struct grouping *grouping)
{
    const struct asnap_store *store = grouping->store;
    size_t count = store->frame_count;
    if (grouping->how->id != NULL) {
        grouping->id_count = grouping->how->id_count(store);
        return NULL;
    }
    grouping->order = reallocarray(NULL, count + 1, sizeof(*grouping->order));
    grouping->ids = reallocarray(NULL, count + 1, sizeof(*grouping->ids));
    if (grouping->order == NULL || grouping->ids == NULL)
        return asnap_error_no_memory();
    if (count > 0)
        memcpy(grouping->order, store->frame_order, count * sizeof(*grouping->order));
    qsort_r(grouping->order, count, sizeof(*grouping->order), compare_frames, grouping);
    for (size_t i = 0; i < count; i++) {
        uint32_t frame = grouping->order[i];
        if (i == 0 || grouping->how->compare(store, grouping->order[i - 1], frame) != 0)
            grouping->id_count++;
        grouping->ids[frame] = (uint32_t)grouping->id_count - 1;
    }
    return NULL;
}

struct asnap_error *asnap_frame_groups(const struct asnap_store *store,
                                       const struct asnap_frame_grouping *how, uint32_t **ids,
                                       size_t *id_count)
{
    struct grouping grouping = {.store = store, .how = how};
    struct asnap_error *error = number_groups(&grouping);
    free(grouping.order);
    if (error == NULL && grouping.ids == NULL) {
        grouping.ids = reallocarray(NULL, store->frame_count + 1, sizeof(*grouping.ids));
        if (grouping.ids == NULL)
            return asnap_error_no_memory();
        for (size_t i = 0; i < store->frame_count; i++)
            grouping.ids[i] = how->id(store, (uint32_t)i);
    }
    if (error != NULL) {
        free(grouping.ids);
        return error;
    }
    *ids = grouping.ids;
    *id_count = grouping.id_count;
    return NULL;
}

/* Makes a row of frames that are alike; false where the sum is too large. */
static bool add_group(struct grouping *grouping, const uint32_t *frames, size_t count)
{
    struct asnap_group group = {
        .id = group_id(grouping, frames[0]), .frame = ASNAP_NONE, .place = grouping->groups.count};
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
    for (size_t i = 0; grouping->weights != NULL && i < count; i++) {
        if (!asnap_group_add_weight(&grouping->groups, &group, &grouping->weights[frames[i]]))
            return false;
    }
    if (grouping->how->keeps_frame)
        group.frame = choose_frame(grouping->store, grouping->sums, frames, count);
    grouping->groups.rows[grouping->groups.count++] = group;
    return true;
}

/* `frames`: those that hold blocks, those of a group together. */
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

/* Puts the frames that hold blocks into `held`, in order; returns how many. Most frames
 * only lead to those. */
static size_t pick_frames(const struct grouping *grouping, uint32_t *held)
{
    const uint32_t *order =
        grouping->order != NULL ? grouping->order : grouping->store->frame_order;
    size_t count = 0;
    for (size_t i = 0; i < grouping->store->frame_count; i++) {
        uint32_t frame = order[i];
        held[count] = frame;
        count += grouping->sums[frame].count != 0;
    }
    return count;
}

static struct asnap_error *too_large(void)
{
    return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                              "cannot sum up the snapshot: a group has more than "
                              "9223372036854775807 bytes: leave out cumulative");
}

/* Makes room for weights, where the blocks are a sample. */
static bool have_weights(struct grouping *grouping, const struct asnap_snapshot *snapshot)
{
    if (snapshot->totals->weights == NULL)
        return true;
    grouping->weights = calloc(grouping->store->frame_count + 1, sizeof(*grouping->weights));
    grouping->groups.weights = calloc(grouping->id_count + 1, sizeof(*grouping->groups.weights));
    return grouping->weights != NULL && grouping->groups.weights != NULL;
}

/* How often a total is in a group, and what follows from that. */
struct repeats {
    uint32_t times;
    double size_variance;
    double count_variance;
};

static void add_variances(const struct grouping *grouping, const struct asnap_snapshot *snapshot,
                          struct repeats *repeats)
{
    const struct asnap_store *store = grouping->store;
    for (size_t i = 0; i < snapshot->totals->count; i++) {
        const struct asnap_weight *weight = &snapshot->totals->weights[i];
        uint32_t traceback = snapshot->totals->totals[i].traceback;
        const uint32_t *frame_ids = asnap_store_frame_ids(store, traceback);
        uint32_t count = store->tracebacks[traceback].frame_count;
        for (uint32_t j = 0; j < count; j++)
            repeats[group_id(grouping, frame_ids[j])].times++;
        for (uint32_t j = 0; j < count; j++) {
            struct repeats *group = &repeats[group_id(grouping, frame_ids[j])];
            double square = (double)group->times * group->times;
            group->size_variance += square * weight->size_variance;
            group->count_variance += square * weight->count_variance;
            group->times = 0;
        }
    }
}

/* The variance of what counts n times is n^2 times that of what counts once. */
static struct asnap_error *find_variances(const struct grouping *grouping,
                                          const struct asnap_snapshot *snapshot)
{
    struct repeats *repeats = calloc(grouping->id_count + 1, sizeof(*repeats));
    if (repeats == NULL)
        return asnap_error_no_memory();
    add_variances(grouping, snapshot, repeats);
    for (uint32_t i = 0; i < grouping->groups.count; i++) {
        const struct asnap_group *row = &grouping->groups.rows[i];
        struct asnap_weight *weight = &grouping->groups.weights[row->place];
        weight->size_variance = repeats[row->id].size_variance;
        weight->count_variance = repeats[row->id].count_variance;
    }
    free(repeats);
    return NULL;
}

static struct asnap_error *fill(struct grouping *grouping, const struct asnap_snapshot *snapshot,
                                bool cumulative)
{
    const struct asnap_store *store = grouping->store;
    struct asnap_error *error = number_groups(grouping);
    if (error != NULL)
        return error;
    grouping->sums = calloc(store->frame_count + 1, sizeof(*grouping->sums));
    grouping->seen = calloc((size_t)store->functions.count + 1, sizeof(*grouping->seen));
    grouping->groups.rows =
        reallocarray(NULL, grouping->id_count + 1, sizeof(*grouping->groups.rows));
    uint32_t *held = reallocarray(NULL, store->frame_count + 1, sizeof(*held));
    if (grouping->sums == NULL || grouping->seen == NULL || grouping->groups.rows == NULL ||
        held == NULL || !have_weights(grouping, snapshot))
        error = asnap_error_no_memory();
    else if (!sum_frames(snapshot, cumulative, grouping->sums, grouping->weights) ||
             !add_groups(grouping, held, pick_frames(grouping, held)))
        error = too_large();
    if (error == NULL && cumulative && grouping->weights != NULL)
        error = find_variances(grouping, snapshot);
    free(held);
    return error;
}

struct asnap_error *asnap_group_by_frame(const struct asnap_snapshot *snapshot,
                                         const struct asnap_frame_grouping *how, bool cumulative,
                                         struct asnap_groups *groups)
{
    struct grouping grouping = {.store = snapshot->store, .how = how};
    struct asnap_error *error = fill(&grouping, snapshot, cumulative);
    free(grouping.order);
    free(grouping.ids);
    free(grouping.sums);
    free(grouping.weights);
    free(grouping.seen);
    if (error != NULL) {
        asnap_groups_deinit(&grouping.groups);
        return error;
    }
    groups->rows = grouping.groups.rows;
    groups->weights = grouping.groups.weights;
    groups->count = grouping.groups.count;
    return NULL;
}
