#include "details.h"

#include <stdlib.h>

#include "function_name.h"
#include "grow.h"

struct asnap_details {
    struct asnap_store *store;
    struct asnap_total_list *totals;
    struct asnap_attribution *attribution;       /* NULL: to the most recent frames */
    const struct asnap_frame_grouping *by_frame; /* NULL: there is nothing to say */
    bool cumulative;
    struct asnap_detail *groups; /* by id; NULL: not worked out yet */
};

struct asnap_details *asnap_details_create(const struct asnap_snapshot *snapshot,
                                           const struct asnap_key_kind *kind, bool cumulative)
{
    struct asnap_details *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->store = asnap_store_share(snapshot->store);
    made->totals = asnap_total_list_share(snapshot->totals);
    made->attribution = asnap_attribution_share(snapshot->attribution);
    made->cumulative = cumulative;
    if (cumulative || made->attribution != NULL)
        made->by_frame = kind->by_frame;
    return made;
}

void asnap_details_destroy(struct asnap_details *details)
{
    if (details == NULL)
        return;
    asnap_store_release(details->store);
    asnap_total_list_release(details->totals);
    asnap_attribution_release(details->attribution);
    free(details->groups);
    free(details);
}

/* Counts what groups count again. `last` is, by group, the last total in it, plus 1. */
static void find_repeated(const struct asnap_details *details, const uint32_t *ids, uint32_t *last,
                          struct asnap_detail *groups)
{
    for (size_t i = 0; i < details->totals->count; i++) {
        const struct asnap_total *total = &details->totals->totals[i];
        struct asnap_sum sum = asnap_total_sum(details->totals, i);
        const uint32_t *frame_ids = asnap_store_frame_ids(details->store, total->traceback);
        uint32_t count = details->store->tracebacks[total->traceback].frame_count;
        for (uint32_t j = 0; j < count; j++) {
            uint32_t id = ids[frame_ids[j]];
            if (last[id] == (uint32_t)i + 1) {
                groups[id].repeated.size += sum.size;
                groups[id].repeated.count += sum.count;
            }
            last[id] = (uint32_t)i + 1;
        }
    }
}

/* What one group's blocks came through, by function. */
struct passage {
    uint32_t id;
    uint32_t function; /* ASNAP_NONE where it is not known */
    bool in_libc;
    struct asnap_sum sum;
};

struct passages {
    struct passage *all;
    size_t count;
    size_t capacity;
    struct asnap_intern index;
};

struct passage_query {
    const struct passages *passages;
    uint32_t id;
    uint32_t function;
};

static bool same_passage(const void *context, uint32_t place)
{
    const struct passage_query *query = context;
    const struct passage *other = &query->passages->all[place];
    return other->id == query->id && other->function == query->function;
}

/* The passage of a group and a function, found or added; NULL where memory is short. */
static struct passage *passage_of(struct passages *passages, uint32_t id, uint32_t function)
{
    struct passage_query query = {passages, id, function};
    uint32_t hash = asnap_hash_end(asnap_hash_mix(id, function));
    uint32_t found = asnap_intern_find(&passages->index, hash, same_passage, &query);
    if (found != ASNAP_NONE)
        return &passages->all[found];
    struct asnap_error *error = asnap_intern_reserve(&passages->index);
    asnap_error_destroy(error);
    struct passage *all = error != NULL ? NULL
                                        : asnap_grow(passages->all, &passages->capacity,
                                                     passages->count + 1, sizeof(*all));
    if (all == NULL)
        return NULL;
    passages->all = all;
    asnap_intern_add(&passages->index, hash, (uint32_t)passages->count);
    all[passages->count] = (struct passage){.id = id, .function = function};
    return &all[passages->count++];
}

/* Of functions that as much came through, the one with the smaller name comes first. */
static bool is_larger(const struct passage *left, const struct passage *right)
{
    int order = asnap_sum_compare(&left->sum, &right->sum);
    return order != 0 ? order > 0 : asnap_function_compare(left->function, right->function) < 0;
}

static struct asnap_error *find_through(const struct asnap_details *details, const uint32_t *ids,
                                        struct passages *passages)
{
    const struct asnap_store *store = details->store;
    for (size_t i = 0; i < details->totals->count; i++) {
        const struct asnap_total *total = &details->totals->totals[i];
        const uint32_t *frame_ids = asnap_store_frame_ids(store, total->traceback);
        uint32_t place = asnap_skipped_frames(details->attribution, total->traceback);
        if (place == 0)
            continue;
        struct passage *passage = passage_of(passages, ids[frame_ids[place]],
                                             store->frames[frame_ids[place - 1]].function);
        if (passage == NULL)
            return asnap_error_no_memory();
        passage->in_libc = details->attribution->in_libc[frame_ids[place - 1]];
        struct asnap_sum sum = asnap_total_sum(details->totals, i);
        passage->sum.size += sum.size;
        passage->sum.count += sum.count;
    }
    return NULL;
}

/* Sums up the passages of each group. `largest` is by group the place of its largest
 * passage. */
static void sum_through(const struct asnap_details *details, const struct passages *passages,
                        uint32_t *largest, struct asnap_detail *groups)
{
    for (uint32_t i = 0; i < passages->count; i++) {
        const struct passage *passage = &passages->all[i];
        struct asnap_detail *group = &groups[passage->id];
        group->through.size += passage->sum.size;
        group->through.count += passage->sum.count;
        group->function_count++;
        if (group->function_count == 1 || is_larger(passage, &passages->all[largest[passage->id]]))
            largest[passage->id] = i;
        passage = &passages->all[largest[passage->id]];
        group->function = asnap_store_function(details->store, passage->function);
        if (group->function != NULL && passage->in_libc)
            group->function = asnap_function_of_library(group->function);
    }
}

/* `numbers` has room for one of each group, and is all 0. */
static struct asnap_error *fill(const struct asnap_details *details, const uint32_t *ids,
                                uint32_t *numbers, struct asnap_detail *groups)
{
    if (details->cumulative) {
        find_repeated(details, ids, numbers, groups);
        return NULL;
    }
    struct passages passages = {0};
    struct asnap_error *error = find_through(details, ids, &passages);
    if (error == NULL)
        sum_through(details, &passages, numbers, groups);
    free(passages.all);
    asnap_intern_deinit(&passages.index);
    return error;
}

static struct asnap_error *work_out(struct asnap_details *details)
{
    uint32_t *ids;
    size_t count;
    struct asnap_error *error = asnap_frame_groups(details->store, details->by_frame, &ids, &count);
    if (error != NULL)
        return error;
    uint32_t *numbers = calloc(count + 1, sizeof(*numbers));
    struct asnap_detail *groups = calloc(count + 1, sizeof(*groups));
    error = numbers == NULL || groups == NULL ? asnap_error_no_memory()
                                              : fill(details, ids, numbers, groups);
    free(ids);
    free(numbers);
    if (error != NULL) {
        free(groups);
        return error;
    }
    for (size_t i = 0; i < count; i++) {
        groups[i].repeated = asnap_total_whole(details->totals, groups[i].repeated);
        groups[i].through = asnap_total_whole(details->totals, groups[i].through);
    }
    details->groups = groups;
    return NULL;
}

struct asnap_error *asnap_details_get(struct asnap_details *details, uint32_t id,
                                      struct asnap_detail *detail)
{
    struct asnap_error *error = NULL;
    if (details->by_frame != NULL && details->groups == NULL)
        error = work_out(details);
    if (error != NULL)
        return error;
    *detail = details->groups == NULL ? (struct asnap_detail){0} : details->groups[id];
    return NULL;
}
