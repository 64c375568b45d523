#include "stack_sums.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

static bool is_same(const void *context, uint32_t id)
{
    const struct asnap_stack_sums *sums = context;
    const struct asnap_summed_stack *made = &sums->stacks[sums->count];
    const struct asnap_summed_stack *other = &sums->stacks[id];
    return made->label_count == other->label_count &&
           memcmp(sums->labels + made->first, sums->labels + other->first,
                  made->label_count * sizeof(*sums->labels)) == 0;
}

/* Puts the labels of a traceback after the others, as the stack that comes next. */
static struct asnap_error *make_stack(struct asnap_stack_sums *sums,
                                      const struct asnap_traceback *traceback,
                                      const uint32_t *frame_ids, const uint32_t *labels,
                                      uint32_t cut)
{
    bool is_cut = traceback->total_nframe > traceback->frame_count;
    uint32_t count = traceback->frame_count + is_cut;
    struct asnap_summed_stack *stacks =
        asnap_grow(sums->stacks, &sums->capacity, sums->count + 1, sizeof(*stacks));
    if (stacks == NULL)
        return asnap_error_no_memory();
    sums->stacks = stacks;
    uint32_t *all =
        asnap_grow(sums->labels, &sums->label_capacity, sums->label_count + count, sizeof(*all));
    if (all == NULL)
        return asnap_error_no_memory();
    sums->labels = all;
    stacks[sums->count] =
        (struct asnap_summed_stack){.first = sums->label_count, .label_count = count};
    uint32_t *at = all + sums->label_count;
    if (is_cut)
        *at++ = cut;
    for (uint32_t i = traceback->frame_count; i > 0; i--)
        *at++ = labels[frame_ids[traceback->first + i - 1]];
    return NULL;
}

static struct asnap_error *find_stack(struct asnap_stack_sums *sums, uint32_t *id)
{
    const struct asnap_summed_stack *made = &sums->stacks[sums->count];
    uint32_t hash =
        asnap_hash_bytes(sums->labels + made->first, made->label_count * sizeof(*sums->labels));
    *id = asnap_intern_find(&sums->index, hash, is_same, sums);
    if (*id != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(&sums->index);
    if (error != NULL)
        return error;
    *id = (uint32_t)sums->count++;
    sums->label_count += made->label_count;
    asnap_intern_add(&sums->index, hash, *id);
    return NULL;
}

/* Parts that a block is counted in while those of a sample are added up. */
#define PARTS ((uint64_t)65536)

static void add_block(struct asnap_summed_stack *stack, uint64_t size, uint64_t period, int which)
{
    if (period == 0) {
        stack->sizes[which] += size;
        stack->counts[which]++;
        return;
    }
    struct asnap_estimate estimate = asnap_block_estimate(size, period);
    stack->sizes[which] += estimate.size;
    stack->counts[which] += (uint64_t)(estimate.count * (double)PARTS);
}

static void round_counts(struct asnap_stack_sums *sums, int which)
{
    for (size_t i = 0; i < sums->count; i++)
        sums->stacks[i].counts[which] = (sums->stacks[i].counts[which] + PARTS / 2) / PARTS;
}

struct asnap_error *asnap_stack_sums_add(struct asnap_stack_sums *sums,
                                         const struct asnap_snapshot *snapshot,
                                         const uint32_t *labels, uint32_t cut, int which,
                                         uint32_t **by_traceback)
{
    const struct asnap_traceback *tracebacks = asnap_snapshot_tracebacks(snapshot);
    const uint32_t *frame_ids = asnap_snapshot_frame_ids(snapshot);
    uint64_t count = asnap_snapshot_count(snapshot);
    uint64_t period = asnap_snapshot_sample_period(snapshot);
    const struct asnap_trace *traces;
    struct asnap_error *error = asnap_snapshot_traces(snapshot, &traces);
    uint32_t *stacks = asnap_intern_none(asnap_snapshot_traceback_count(snapshot));
    if (error == NULL && stacks == NULL)
        error = asnap_error_no_memory();
    for (uint64_t i = 0; error == NULL && i < count; i++) {
        uint32_t *stack = &stacks[traces[i].traceback_id];
        if (*stack == ASNAP_NONE) {
            error = make_stack(sums, &tracebacks[traces[i].traceback_id], frame_ids, labels, cut);
            if (error == NULL)
                error = find_stack(sums, stack);
            if (error != NULL)
                break;
        }
        add_block(&sums->stacks[*stack], traces[i].size, period, which);
    }
    if (period != 0)
        round_counts(sums, which);
    if (error == NULL && by_traceback != NULL)
        *by_traceback = stacks;
    else
        free(stacks);
    return error;
}

void asnap_stack_sums_deinit(struct asnap_stack_sums *sums)
{
    free(sums->stacks);
    free(sums->labels);
    asnap_intern_deinit(&sums->index);
    *sums = (struct asnap_stack_sums){0};
}
