#include "totals.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

struct asnap_total_list *asnap_total_list_create(struct asnap_total *totals, size_t count,
                                                 struct asnap_weight *weights)
{
    struct asnap_total_list *list = calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    atomic_init(&list->references, 1);
    list->totals = totals;
    list->count = count;
    list->weights = weights;
    return list;
}

struct asnap_total_list *asnap_total_list_share(struct asnap_total_list *list)
{
    atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    return list;
}

void asnap_total_list_release(struct asnap_total_list *list)
{
    if (list == NULL || atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel) != 1)
        return;
    free(list->totals);
    free(list->weights);
    free(list);
}

struct other_query {
    const struct asnap_totals *totals;
    const struct asnap_trace *trace;
};

static bool same_other(const void *context, uint32_t id)
{
    const struct other_query *query = context;
    const struct asnap_total *other = &query->totals->others[id];
    return other->traceback == query->trace->traceback_id && other->domain == query->trace->domain;
}

/* The total of a trace whose domain is not its traceback's first; NULL where
 * memory is short. */
static struct asnap_total *find_other(struct asnap_totals *totals, const struct asnap_trace *trace)
{
    uint32_t hash = asnap_hash_end(asnap_hash_mix(trace->domain, trace->traceback_id));
    struct other_query query = {totals, trace};
    uint32_t id = asnap_intern_find(&totals->index, hash, same_other, &query);
    if (id != ASNAP_NONE)
        return &totals->others[id];
    struct asnap_total *others = asnap_grow(totals->others, &totals->other_capacity,
                                            totals->other_count + 1, sizeof(*others));
    if (others == NULL)
        return NULL;
    totals->others = others;
    if (totals->other_count == ASNAP_NONE || asnap_intern_reserve(&totals->index) != NULL)
        return NULL;
    id = (uint32_t)totals->other_count++;
    others[id] = (struct asnap_total){.traceback = trace->traceback_id, .domain = trace->domain};
    asnap_intern_add(&totals->index, hash, id);
    return &others[id];
}

struct asnap_error *asnap_totals_init(struct asnap_totals *totals, size_t traceback_count)
{
    struct asnap_total *first = calloc(traceback_count + 1, sizeof(*first));
    *totals = (struct asnap_totals){
        .first = asnap_in_huge_pages(first, (traceback_count + 1) * sizeof(*first)),
        .traceback_count = traceback_count,
    };
    return totals->first == NULL ? asnap_error_no_memory() : NULL;
}

struct asnap_error *asnap_totals_add(struct asnap_totals *totals, const struct asnap_trace *traces,
                                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct asnap_trace *trace = &traces[i];
        struct asnap_total *total = &totals->first[trace->traceback_id];
        if (total->count == 0) {
            total->traceback = trace->traceback_id;
            total->domain = trace->domain;
        } else if (total->domain != trace->domain) {
            total = find_other(totals, trace);
            if (total == NULL)
                return asnap_error_no_memory();
        }
        total->size += trace->size;
        total->count++;
    }
    return NULL;
}

struct asnap_error *asnap_totals_finish(struct asnap_totals *totals, struct asnap_total_list **list)
{
    size_t used = 0;
    for (size_t i = 0; i < totals->traceback_count; i++) {
        if (totals->first[i].count != 0)
            totals->first[used++] = totals->first[i];
    }
    struct asnap_total *result =
        reallocarray(totals->first, used + totals->other_count + 1, sizeof(*result));
    if (result == NULL)
        return asnap_error_no_memory();
    totals->first = result;
    if (totals->other_count != 0)
        memcpy(result + used, totals->others, totals->other_count * sizeof(*result));
    struct asnap_total_list *made =
        asnap_total_list_create(result, used + totals->other_count, NULL);
    if (made == NULL)
        return asnap_error_no_memory();
    totals->first = NULL;
    *list = made;
    return NULL;
}

void asnap_totals_deinit(struct asnap_totals *totals)
{
    free(totals->first);
    free(totals->others);
    asnap_intern_deinit(&totals->index);
}

struct asnap_error *asnap_totals_create(const struct asnap_trace *traces, size_t count,
                                        size_t traceback_count, struct asnap_total_list **list)
{
    struct asnap_totals sums;
    struct asnap_error *error = asnap_totals_init(&sums, traceback_count);
    if (error == NULL)
        error = asnap_totals_add(&sums, traces, count);
    if (error == NULL)
        error = asnap_totals_finish(&sums, list);
    asnap_totals_deinit(&sums);
    return error;
}

/* ---- of a sample ---- */

static bool weigh(struct asnap_total_list *list, const struct asnap_trace *traces, size_t count,
                  const uint32_t *first, const uint32_t *next, uint64_t period)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t place = first[traces[i].traceback_id];
        while (list->totals[place].domain != traces[i].domain)
            place = next[place];
        if (!asnap_weight_add_block(&list->weights[place], traces[i].size, period))
            return false;
    }
    return true;
}

struct asnap_error *asnap_totals_weigh(struct asnap_total_list *list,
                                       const struct asnap_trace *traces, size_t count,
                                       size_t traceback_count, uint64_t period)
{
    uint32_t *first = calloc(traceback_count + 1, sizeof(*first));
    uint32_t *next = calloc(list->count + 1, sizeof(*next));
    list->weights = calloc(list->count + 1, sizeof(*list->weights));
    struct asnap_error *error = NULL;
    if (first == NULL || next == NULL || list->weights == NULL) {
        error = asnap_error_no_memory();
    } else {
        /* A traceback has few domains: its totals are a list. */
        for (size_t i = list->count; i > 0; i--) {
            uint32_t traceback = list->totals[i - 1].traceback;
            next[i - 1] = first[traceback];
            first[traceback] = (uint32_t)i - 1;
        }
        if (!weigh(list, traces, count, first, next, period))
            error = asnap_weight_too_large();
    }
    free(first);
    free(next);
    return error;
}

struct asnap_sum asnap_total_sum(const struct asnap_total_list *list, size_t place)
{
    if (list->weights != NULL)
        return (struct asnap_sum){list->weights[place].size, list->weights[place].parts};
    return (struct asnap_sum){list->totals[place].size, list->totals[place].count};
}

struct asnap_sum asnap_total_whole(const struct asnap_total_list *list, struct asnap_sum sum)
{
    const struct asnap_weight weight = {.parts = sum.count};
    if (list->weights != NULL)
        sum.count = asnap_weight_count(&weight);
    return sum;
}
