#include "blocks.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "intern.h"

struct asnap_blocks *asnap_blocks_create(struct asnap_trace *traces, size_t count)
{
    struct asnap_blocks *blocks = malloc(sizeof(*blocks));
    if (blocks == NULL)
        return NULL;
    atomic_init(&blocks->references, 1);
    blocks->traces = traces;
    blocks->count = count;
    atomic_init(&blocks->by_address, NULL);
    return blocks;
}

struct asnap_blocks *asnap_blocks_share(struct asnap_blocks *blocks)
{
    atomic_fetch_add_explicit(&blocks->references, 1, memory_order_relaxed);
    return blocks;
}

void asnap_blocks_release(struct asnap_blocks *blocks)
{
    if (blocks == NULL ||
        atomic_fetch_sub_explicit(&blocks->references, 1, memory_order_acq_rel) != 1)
        return;
    asnap_address_index_destroy(atomic_load(&blocks->by_address));
    free(blocks->traces);
    free(blocks);
}

struct asnap_error *asnap_blocks_by_address(struct asnap_blocks *blocks,
                                            const struct asnap_address_index **index)
{
    struct asnap_address_index *known = atomic_load(&blocks->by_address);
    if (known == NULL) {
        struct asnap_address_index *made;
        struct asnap_error *error =
            asnap_address_index_create(blocks->traces, (uint32_t)blocks->count, &made);
        if (error != NULL)
            return error;
        /* Snapshots that share blocks may be searched by several threads at once. */
        if (atomic_compare_exchange_strong(&blocks->by_address, &known, made))
            known = made;
        else
            asnap_address_index_destroy(made);
    }
    *index = known;
    return NULL;
}

/* Nearly every traceback is of one domain: its first total is found by the
 * traceback's number, and only those of other domains by hash. */
struct totals {
    struct asnap_total *first; /* by traceback; count 0: none yet */
    struct asnap_total *others;
    size_t other_count;
    size_t other_capacity;
    struct asnap_intern index;
};

struct other_query {
    const struct totals *totals;
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
static struct asnap_total *find_other(struct totals *totals, const struct asnap_trace *trace)
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

static bool add_traces(struct totals *totals, const struct asnap_trace *traces, size_t count)
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
                return false;
        }
        total->size += trace->size;
        total->count++;
    }
    return true;
}

struct asnap_error *asnap_totals_create(const struct asnap_trace *traces, size_t count,
                                        size_t traceback_count, struct asnap_total **totals,
                                        size_t *total_count)
{
    struct totals sums = {.first = calloc(traceback_count + 1, sizeof(*sums.first))};
    struct asnap_total *result = NULL;
    if (sums.first != NULL && add_traces(&sums, traces, count)) {
        size_t used = 0;
        for (size_t i = 0; i < traceback_count; i++) {
            if (sums.first[i].count != 0)
                sums.first[used++] = sums.first[i];
        }
        result = reallocarray(sums.first, used + sums.other_count + 1, sizeof(*result));
        if (result != NULL) {
            sums.first = NULL;
            if (sums.other_count != 0)
                memcpy(result + used, sums.others, sums.other_count * sizeof(*result));
            *totals = result;
            *total_count = used + sums.other_count;
        }
    }
    free(sums.first);
    free(sums.others);
    asnap_intern_deinit(&sums.index);
    return result == NULL ? asnap_error_no_memory() : NULL;
}
