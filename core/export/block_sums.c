#include "block_sums.h"

#include <stdlib.h>

#include "age_steps.h"
#include "block_reach.h"
#include "grow.h"
#include "intern.h"

struct summing {
    struct asnap_block_sum *sums;
    size_t count;
    size_t capacity;
    struct asnap_block_sum wanted;
    struct asnap_intern index;
};

static uint32_t hash_of(const struct asnap_block_sum *sum)
{
    uint64_t hash = asnap_hash_mix(0, sum->size);
    hash = asnap_hash_mix(hash, (uint64_t)sum->traceback << 32 | sum->thread);
    hash =
        asnap_hash_mix(hash, (uint64_t)sum->domain << 32 | (uint32_t)sum->reach << 16 | sum->age);
    return asnap_hash_end(hash);
}

static bool is_same(const void *context, uint32_t id)
{
    const struct summing *summing = context;
    const struct asnap_block_sum *left = &summing->sums[id];
    const struct asnap_block_sum *right = &summing->wanted;
    return left->size == right->size && left->traceback == right->traceback &&
           left->thread == right->thread && left->domain == right->domain &&
           left->reach == right->reach && left->age == right->age;
}

/* Adds a block that is `wanted`. */
static struct asnap_error *add(struct summing *summing)
{
    uint32_t hash = hash_of(&summing->wanted);
    uint32_t id = asnap_intern_find(&summing->index, hash, is_same, summing);
    if (id != ASNAP_NONE) {
        summing->sums[id].count++;
        return NULL;
    }
    struct asnap_block_sum *grown =
        asnap_grow(summing->sums, &summing->capacity, summing->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    summing->sums = grown;
    struct asnap_error *error = asnap_intern_reserve(&summing->index);
    if (error != NULL)
        return error;
    asnap_intern_add(&summing->index, hash, (uint32_t)summing->count);
    grown[summing->count++] = summing->wanted;
    return NULL;
}

/* A number that is not negative, rounded. */
static uint64_t whole(double number)
{
    return number < (double)INT64_MAX ? (uint64_t)(number + 0.5) : INT64_MAX;
}

static void add_totals(struct summing *summing, uint64_t period)
{
    for (size_t i = 0; i < summing->count; i++) {
        struct asnap_block_sum *sum = &summing->sums[i];
        sum->total_count = sum->count;
        sum->total_size = sum->count * sum->size;
        if (period == 0)
            continue;
        struct asnap_estimate estimate = asnap_block_estimate(sum->size, period);
        sum->total_count = whole(estimate.count * (double)sum->count);
        sum->total_size = whole((double)estimate.size * (double)sum->count);
    }
}

struct asnap_error *asnap_block_sums_create(const struct asnap_export_job *job,
                                            struct asnap_block_sum **sums, size_t *count)
{
    const struct asnap_graph *graph = job->options->graph;
    uint64_t trace_count = asnap_snapshot_count(job->snapshot);
    uint32_t newest = asnap_snapshot_newest_time(job->snapshot);
    uint32_t next = 0;
    struct summing summing = {0};
    const struct asnap_trace *traces;
    struct asnap_error *error = asnap_snapshot_traces(job->snapshot, &traces);
    for (uint64_t i = 0; error == NULL && i < trace_count; i++) {
        summing.wanted = (struct asnap_block_sum){
            .size = traces[i].size,
            .traceback = traces[i].traceback_id,
            .thread = traces[i].thread,
            .domain = traces[i].domain,
            .reach = (uint16_t)asnap_block_reach(graph, &traces[i], &next),
            .age = (uint16_t)asnap_age_step(newest, traces[i].time),
            .count = 1,
        };
        error = add(&summing);
    }
    asnap_intern_deinit(&summing.index);
    if (error != NULL) {
        free(summing.sums);
        return error;
    }
    add_totals(&summing, asnap_snapshot_sample_period(job->snapshot));
    *sums = summing.sums;
    *count = summing.count;
    return NULL;
}
