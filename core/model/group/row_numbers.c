/* Which row of statistics each block is in. */
#include <inttypes.h>
#include <stdlib.h>

#include "error.h"
#include "statistics.h"

/* The row with an id, for a search. */
struct place {
    uint32_t id;
    uint32_t row;
};

static int by_id(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static uint32_t row_with(const struct place *places, size_t count, uint32_t id)
{
    struct place wanted = {.id = id};
    const struct place *found = bsearch(&wanted, places, count, sizeof(*places), by_id);
    return found == NULL ? ASNAP_NONE : found->row;
}

/* The id of the group of each block, by frame. */
static struct asnap_error *number_by_frame(const struct asnap_statistics *statistics,
                                           const struct asnap_snapshot *snapshot,
                                           const struct asnap_blocks *blocks, uint32_t *numbers)
{
    const struct asnap_store *store = snapshot->store;
    uint32_t *ids;
    size_t id_count;
    struct asnap_error *error =
        asnap_frame_groups(store, statistics->kind->by_frame, &ids, &id_count);
    if (error != NULL)
        return error;
    for (size_t i = 0; i < blocks->count; i++) {
        uint32_t traceback = blocks->traces[i].traceback_id;
        uint32_t skipped = asnap_skipped_frames(snapshot->attribution, traceback);
        numbers[i] = ids[asnap_store_frame_ids(store, traceback)[skipped]];
    }
    free(ids);
    return NULL;
}

static struct asnap_error *number_by_traceback(const struct asnap_snapshot *snapshot,
                                               const struct asnap_blocks *blocks, uint32_t *numbers)
{
    const struct asnap_store *store = snapshot->store;
    struct asnap_groups groups = {0};
    uint32_t *ranks = reallocarray(NULL, store->frame_count + 1, sizeof(*ranks));
    groups.numbers = calloc(store->traceback_count + 1, sizeof(*groups.numbers));
    struct asnap_error *error = NULL;
    if (ranks == NULL || groups.numbers == NULL) {
        error = asnap_error_no_memory();
    } else {
        for (size_t i = 0; i < store->frame_count; i++)
            ranks[i] = store->frames[i].location;
        struct asnap_ranked_store ranked = {store, ranks};
        error = asnap_group_by_traceback(&ranked, snapshot->totals, &groups);
    }
    for (size_t i = 0; error == NULL && i < blocks->count; i++)
        numbers[i] = groups.numbers[blocks->traces[i].traceback_id];
    free(groups.numbers);
    free(ranks);
    asnap_groups_deinit(&groups);
    return error;
}

static struct asnap_error *number_by_block(const struct asnap_statistics *statistics,
                                           const struct asnap_snapshot *snapshot, uint32_t *numbers)
{
    struct asnap_groups groups = {.numbers = numbers};
    struct asnap_error *error = statistics->kind->by_block(snapshot, &groups);
    groups.numbers = NULL;
    asnap_groups_deinit(&groups);
    return error;
}

struct asnap_error *asnap_statistics_row_numbers(const struct asnap_statistics *statistics,
                                                 const struct asnap_snapshot *snapshot,
                                                 uint32_t *numbers)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    const struct asnap_groups *groups = &statistics->groups;
    struct place *places = calloc((size_t)groups->count + 1, sizeof(*places));
    if (places == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < groups->count; i++)
        places[i] = (struct place){groups->rows[i].id, i};
    qsort(places, groups->count, sizeof(*places), by_id);
    if (statistics->kind->by_frame != NULL)
        error = number_by_frame(statistics, snapshot, blocks, numbers);
    else if (asnap_key_is_stack(statistics->kind))
        error = number_by_traceback(snapshot, blocks, numbers);
    else
        error = number_by_block(statistics, snapshot, numbers);
    for (size_t i = 0; error == NULL && i < blocks->count; i++)
        numbers[i] = row_with(places, groups->count, numbers[i]);
    free(places);
    return error;
}

struct asnap_error *asnap_statistics_blocks(const struct asnap_statistics *statistics,
                                            const struct asnap_snapshot *snapshot, size_t index,
                                            struct asnap_snapshot **made)
{
    if (statistics->cumulative || index >= statistics->groups.count)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_statistics_blocks: cumulative, or only %" PRIu32 " rows",
                                  statistics->groups.count);
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint32_t *numbers = calloc(blocks->count + 1, sizeof(*numbers));
    uint8_t *chosen = calloc(blocks->count + 1, 1);
    if (numbers == NULL || chosen == NULL)
        error = asnap_error_no_memory();
    else
        error = asnap_statistics_row_numbers(statistics, snapshot, numbers);
    for (size_t i = 0; error == NULL && i < blocks->count; i++)
        chosen[i] = numbers[i] == index;
    if (error == NULL)
        error = asnap_snapshot_choose(snapshot, chosen, made);
    free(chosen);
    free(numbers);
    return error;
}
