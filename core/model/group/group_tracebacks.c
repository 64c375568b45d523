#include <stdlib.h>

#include "group.h"

struct grouping {
    const struct asnap_ranked_store *ranked;
    struct asnap_sum *sums;       /* by traceback */
    struct asnap_weight *weights; /* by traceback; NULL: the blocks are no sample */
    uint32_t *next;               /* by traceback: the next member of its group, or ASNAP_NONE */
    uint32_t *last_seen; /* by function: the number of the last group that has it, plus 1 */
    struct asnap_intern index;
    struct asnap_groups groups;
    uint32_t *row_of; /* by traceback; NULL: not wanted */
};

struct traceback_query {
    const struct grouping *grouping;
    uint32_t traceback;
};

/* Whether a traceback belongs to a group. */
static bool same_frames(const void *context, uint32_t group)
{
    const struct traceback_query *query = context;
    const struct asnap_ranked_store *ranked = query->grouping->ranked;
    return asnap_traceback_equal(ranked, query->traceback, ranked,
                                 query->grouping->groups.rows[group].id);
}

/* Which of two members stands for their group: the one that holds more, and of
 * equals one that their contents alone decide, so that the same heap always
 * shows the same way. Above 0: `left` does. */
static int compare_members(const struct grouping *grouping, uint32_t left, uint32_t right)
{
    int sums = asnap_sum_compare(&grouping->sums[left], &grouping->sums[right]);
    if (sums != 0)
        return sums;
    const struct asnap_store *store = grouping->ranked->store;
    const uint32_t *left_ids = asnap_store_frame_ids(store, left);
    const uint32_t *right_ids = asnap_store_frame_ids(store, right);
    for (size_t i = 0; i < store->tracebacks[left].frame_count; i++) {
        const struct asnap_stored_frame *left_frame = &store->frames[left_ids[i]];
        const struct asnap_stored_frame *right_frame = &store->frames[right_ids[i]];
        int order = asnap_function_compare(right_frame->function, left_frame->function);
        if (order == 0)
            order = (int)right_frame->inlined - (int)left_frame->inlined;
        if (order != 0)
            return order;
    }
    uint32_t left_total = store->tracebacks[left].total_nframe;
    uint32_t right_total = store->tracebacks[right].total_nframe;
    return (left_total < right_total) - (left_total > right_total);
}

/* All together they are not too large. */
static void add_weight(struct grouping *grouping, struct asnap_group *group, uint32_t traceback)
{
    if (grouping->weights != NULL)
        (void)asnap_group_add_weight(&grouping->groups, group, &grouping->weights[traceback]);
}

static bool add_traceback(struct grouping *grouping, uint32_t traceback)
{
    const struct asnap_sum *sum = &grouping->sums[traceback];
    uint32_t hash = asnap_traceback_hash(grouping->ranked, traceback);
    struct traceback_query query = {grouping, traceback};
    uint32_t found = asnap_intern_find(&grouping->index, hash, same_frames, &query);
    grouping->next[traceback] = ASNAP_NONE;
    if (found == ASNAP_NONE) {
        if (asnap_intern_reserve(&grouping->index) != NULL)
            return false;
        found = grouping->groups.count++;
        grouping->groups.rows[found] = (struct asnap_group){.size = sum->size,
                                                            .count = sum->count,
                                                            .id = traceback,
                                                            .frame = ASNAP_NONE,
                                                            .place = found};
        asnap_intern_add(&grouping->index, hash, found);
        if (grouping->row_of != NULL)
            grouping->row_of[traceback] = found;
        add_weight(grouping, &grouping->groups.rows[found], traceback);
        return true;
    }
    if (grouping->row_of != NULL)
        grouping->row_of[traceback] = found;
    struct asnap_group *group = &grouping->groups.rows[found];
    group->size += sum->size;
    group->count += sum->count;
    add_weight(grouping, group, traceback);
    /* The members are a list that starts at the one that stands for them. */
    if (compare_members(grouping, traceback, group->id) > 0) {
        grouping->next[traceback] = group->id;
        group->id = traceback;
    } else {
        grouping->next[traceback] = grouping->next[group->id];
        grouping->next[group->id] = traceback;
    }
    return true;
}

static void count_functions(struct grouping *grouping)
{
    const struct asnap_store *store = grouping->ranked->store;
    for (uint32_t i = 0; i < grouping->groups.count; i++) {
        struct asnap_group *group = &grouping->groups.rows[i];
        for (uint32_t member = group->id; member != ASNAP_NONE; member = grouping->next[member]) {
            uint32_t function = store->frames[asnap_store_frame_ids(store, member)[0]].function;
            if (function != ASNAP_NONE && grouping->last_seen[function] != i + 1) {
                grouping->last_seen[function] = i + 1;
                group->function_count++;
            }
        }
    }
}

static bool group(struct grouping *grouping, const struct asnap_total_list *totals)
{
    for (size_t i = 0; i < totals->count; i++) {
        const struct asnap_total *total = &totals->totals[i];
        struct asnap_sum sum = asnap_total_sum(totals, i);
        grouping->sums[total->traceback].size += sum.size;
        grouping->sums[total->traceback].count += sum.count;
        if (grouping->weights != NULL)
            (void)asnap_weight_add(&grouping->weights[total->traceback], &totals->weights[i]);
    }
    for (uint32_t i = 0; i < grouping->ranked->store->traceback_count; i++) {
        if (grouping->sums[i].count != 0 && !add_traceback(grouping, i))
            return false;
    }
    count_functions(grouping);
    for (uint32_t i = 0; grouping->row_of != NULL && i < grouping->ranked->store->traceback_count;
         i++) {
        if (grouping->sums[i].count != 0)
            grouping->row_of[i] = grouping->groups.rows[grouping->row_of[i]].id;
    }
    return true;
}

struct asnap_error *asnap_group_by_traceback(const struct asnap_ranked_store *ranked,
                                             const struct asnap_total_list *totals,
                                             struct asnap_groups *groups)
{
    const struct asnap_store *store = ranked->store;
    size_t count = store->traceback_count;
    struct grouping grouping = {
        .ranked = ranked,
        .row_of = groups->numbers,
        .sums = calloc(count + 1, sizeof(*grouping.sums)),
        .next = reallocarray(NULL, count + 1, sizeof(*grouping.next)),
        .last_seen = calloc((size_t)store->functions.count + 1, sizeof(*grouping.last_seen)),
        .groups.rows = reallocarray(NULL, count + 1, sizeof(*grouping.groups.rows)),
    };
    bool is_sample = totals->weights != NULL;
    if (is_sample) {
        grouping.weights = calloc(count + 1, sizeof(*grouping.weights));
        grouping.groups.weights = calloc(count + 1, sizeof(*grouping.groups.weights));
    }
    bool done = (!is_sample || (grouping.weights != NULL && grouping.groups.weights != NULL)) &&
                grouping.sums != NULL && grouping.next != NULL && grouping.last_seen != NULL &&
                grouping.groups.rows != NULL && group(&grouping, totals);
    free(grouping.sums);
    free(grouping.weights);
    free(grouping.next);
    free(grouping.last_seen);
    asnap_intern_deinit(&grouping.index);
    if (!done) {
        asnap_groups_deinit(&grouping.groups);
        return asnap_error_no_memory();
    }
    groups->rows = grouping.groups.rows;
    groups->weights = grouping.groups.weights;
    groups->count = grouping.groups.count;
    return NULL;
}
