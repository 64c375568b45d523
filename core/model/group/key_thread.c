/* By the thread that asked for the block. Its number can be another thread's after its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "keys.h"

static uint32_t place_of(const void *context, const struct asnap_trace *trace)
{
    (void)context;
    return trace->thread;
}

static int compare_rows(const void *left, const void *right)
{
    const struct asnap_group *a = left;
    const struct asnap_group *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->frame > b->frame) - (a->frame < b->frame);
}

static uint32_t number_of(const struct asnap_store *store, uint32_t place)
{
    return place < store->thread_count ? store->threads[place] : 0;
}

/* The place of the thread stands where others have a frame. */
static void number_threads(const struct asnap_store *store, struct asnap_groups *groups)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        struct asnap_group *row = &groups->rows[i];
        row->frame = row->id;
        row->id = number_of(store, row->id);
    }
    qsort(groups->rows, groups->count, sizeof(*groups->rows), compare_rows);
    for (uint32_t i = 0; i < groups->count; i++) {
        struct asnap_group *row = &groups->rows[i];
        if (count == 0 || groups->rows[count - 1].id != row->id) {
            groups->rows[count++] = *row;
            continue;
        }
        struct asnap_group *same = &groups->rows[count - 1];
        same->size += row->size;
        same->count += row->count;
        if (groups->weights != NULL)
            (void)asnap_group_add_weight(groups, same, &groups->weights[row->place]);
    }
    groups->count = count;
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    size_t count = snapshot->store->thread_count;
    struct asnap_error *error =
        asnap_group_by_block(snapshot, place_of, NULL, count == 0 ? 1 : (uint32_t)count, groups);
    if (error != NULL)
        return error;
    number_threads(snapshot->store, groups);
    for (uint64_t i = 0; groups->numbers != NULL && i < snapshot->count; i++)
        groups->numbers[i] = number_of(snapshot->store, groups->numbers[i]);
    return NULL;
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)store;
    if (group->id == 0)
        return "unknown thread";
    snprintf(buffer, ASNAP_LABEL_SIZE, "thread %" PRIu32, group->id);
    return buffer;
}

static struct asnap_bounds bounds(const struct asnap_group *group)
{
    return (struct asnap_bounds){.from = group->id,
                                 .below = group->id == 0 ? 0 : group->id + UINT64_C(1),
                                 .thread = group->frame};
}

const struct asnap_key_kind asnap_key_thread = {
    .description = {.name = "thread",
                    .noun = "thread",
                    .means = "what one thread asked for",
                    .label = ASNAP_LABEL_THREAD,
                    .has_cumulative = false},
    .by_block = group,
    .compare = asnap_key_compare_ids,
    .label = label,
    .bounds = bounds,
};
