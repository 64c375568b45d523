#include <stdlib.h>

#include "details.h"
#include "keys.h"
#include "order.h"
#include "snapshot.h"
#include "statistics.h"

struct sort_context {
    const struct asnap_group *rows;
    struct asnap_ranked_store ranked; /* by traceback only */
    struct asnap_traceback_packing packing;
};

/* tracemalloc: Statistic._sort_key. */
static uint64_t group_sort_key(const void *context, uint32_t item, uint32_t level)
{
    const struct sort_context *sort = context;
    const struct asnap_group *row = &sort->rows[item];
    if (level == 0)
        return row->size;
    return level == 1 ? row->count : row->id;
}

static uint64_t traceback_sort_key(const void *context, uint32_t item, uint32_t level)
{
    const struct sort_context *sort = context;
    const struct asnap_group *row = &sort->rows[item];
    if (level == 0)
        return row->size;
    if (level == 1)
        return row->count;
    return asnap_traceback_word(&sort->ranked, &sort->packing, row->id, level - 2);
}

/* Puts rows in the order that `keys` gives. */
static struct asnap_error *sort_groups(struct asnap_groups *groups,
                                       const struct asnap_order_keys *keys)
{
    uint32_t *order = NULL;
    struct asnap_error *error = asnap_order_create(keys, groups->count, &order);
    if (error != NULL)
        return error;
    struct asnap_group *rows = reallocarray(NULL, (size_t)groups->count + 1, sizeof(*rows));
    if (rows == NULL) {
        free(order);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < groups->count; i++)
        rows[i] = groups->rows[order[i]];
    free(order);
    free(groups->rows);
    groups->rows = rows;
    return NULL;
}

static struct asnap_error *fill_by_group(const struct asnap_snapshot *snapshot,
                                         struct asnap_statistics *statistics)
{
    struct asnap_error *error =
        asnap_key_group(statistics->kind, snapshot, statistics->cumulative, &statistics->groups);
    if (error != NULL)
        return error;
    struct sort_context context = {.rows = statistics->groups.rows};
    struct asnap_order_keys keys = {group_sort_key, &context, 3};
    return sort_groups(&statistics->groups, &keys);
}

static struct asnap_error *fill_by_traceback(const struct asnap_snapshot *snapshot,
                                             struct asnap_statistics *statistics)
{
    const struct asnap_store *store = snapshot->store;
    uint32_t *frame_rank = reallocarray(NULL, store->frame_count + 1, sizeof(*frame_rank));
    if (frame_rank == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < store->frame_count; i++)
        frame_rank[i] = store->frames[i].location;
    struct asnap_ranked_store ranked = {store, frame_rank};
    struct asnap_error *error =
        asnap_group_by_traceback(&ranked, snapshot->totals, &statistics->groups);
    if (error == NULL) {
        struct sort_context context = {
            .rows = statistics->groups.rows,
            .ranked = ranked,
            .packing = asnap_traceback_packing(store->location_count),
        };
        struct asnap_order_keys keys = {
            .key = traceback_sort_key,
            .context = &context,
            .levels = 2 + asnap_traceback_words(store, &context.packing),
        };
        error = sort_groups(&statistics->groups, &keys);
    }
    free(frame_rank);
    return error;
}

struct asnap_error *asnap_statistics_create(const struct asnap_snapshot *snapshot,
                                            enum asnap_key key, bool cumulative,
                                            struct asnap_statistics **statistics)
{
    const struct asnap_key_kind *kind;
    struct asnap_error *error = asnap_key_find(key, cumulative, &kind);
    if (error != NULL)
        return error;
    struct asnap_statistics *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->store = asnap_store_share(snapshot->store);
    made->key = key;
    made->kind = kind;
    made->cumulative = cumulative;
    made->sample_period = snapshot->store->sample_period;
    made->total_size = asnap_snapshot_sum(snapshot).size;
    made->total_count = asnap_snapshot_sum(snapshot).count;
    made->total = asnap_snapshot_estimate(snapshot);
    made->details = asnap_details_create(snapshot, kind, cumulative);
    if (made->details == NULL) {
        asnap_statistics_destroy(made);
        return asnap_error_no_memory();
    }
    error = asnap_key_is_stack(kind) ? fill_by_traceback(snapshot, made)
                                     : fill_by_group(snapshot, made);
    if (error != NULL) {
        asnap_statistics_destroy(made);
        return error;
    }
    *statistics = made;
    return NULL;
}

void asnap_statistics_destroy(struct asnap_statistics *statistics)
{
    if (statistics == NULL)
        return;
    asnap_store_release(statistics->store);
    asnap_groups_deinit(&statistics->groups);
    asnap_details_destroy(statistics->details);
    free(statistics->beside.sums);
    for (size_t i = 0; i < statistics->beside.note_count; i++)
        free(statistics->beside.notes[i]);
    free(statistics->beside.notes);
    free(statistics);
}

size_t asnap_statistics_count(const struct asnap_statistics *statistics)
{
    return statistics->groups.count;
}

struct asnap_statistic asnap_statistics_row(const struct asnap_statistics *statistics, size_t index)
{
    return asnap_group_statistic(statistics->kind, statistics->store,
                                 &statistics->groups.rows[index]);
}

struct asnap_frame asnap_statistics_frame(const struct asnap_statistics *statistics, size_t index,
                                          size_t frame)
{
    return statistics->kind->frame(statistics->store, &statistics->groups.rows[index], frame);
}

struct asnap_place asnap_statistics_place(const struct asnap_statistics *statistics, size_t index,
                                          size_t frame)
{
    return asnap_group_place(statistics->kind, statistics->store, &statistics->groups.rows[index],
                             frame);
}

void asnap_statistics_places(const struct asnap_statistics *statistics, size_t index,
                             struct asnap_place *places)
{
    size_t count = asnap_statistics_row(statistics, index).frame_count;
    for (size_t i = 0; i < count; i++)
        places[i] = asnap_statistics_place(statistics, index, i);
}

const char *asnap_statistics_label(const struct asnap_statistics *statistics, size_t index,
                                   char buffer[ASNAP_LABEL_SIZE])
{
    return asnap_group_label(statistics->kind, statistics->store, &statistics->groups.rows[index],
                             buffer);
}

struct asnap_bounds asnap_statistics_bounds(const struct asnap_statistics *statistics, size_t index)
{
    return asnap_group_bounds(statistics->kind, &statistics->groups.rows[index]);
}

struct asnap_error *asnap_statistics_detail(const struct asnap_statistics *statistics, size_t index,
                                            struct asnap_detail *detail)
{
    return asnap_details_get(statistics->details, statistics->groups.rows[index].id, detail);
}

void asnap_statistics_rows(const struct asnap_statistics *statistics, size_t first, size_t count,
                           struct asnap_statistic *rows)
{
    for (size_t i = 0; i < count; i++)
        rows[i] = asnap_statistics_row(statistics, first + i);
}

void asnap_statistics_frames(const struct asnap_statistics *statistics, size_t index,
                             struct asnap_frame *frames)
{
    size_t count = asnap_statistics_row(statistics, index).frame_count;
    for (size_t i = 0; i < count; i++)
        frames[i] = asnap_statistics_frame(statistics, index, i);
}

struct asnap_estimate asnap_statistics_estimate(const struct asnap_statistics *statistics,
                                                size_t index)
{
    return asnap_group_estimate(&statistics->groups, &statistics->groups.rows[index]);
}

struct asnap_estimate asnap_statistics_total_estimate(const struct asnap_statistics *statistics)
{
    return statistics->total;
}

uint64_t asnap_statistics_sample_period(const struct asnap_statistics *statistics)
{
    return statistics->sample_period;
}

uint64_t asnap_statistics_total_size(const struct asnap_statistics *statistics)
{
    return statistics->total_size;
}

uint64_t asnap_statistics_total_count(const struct asnap_statistics *statistics)
{
    return statistics->total_count;
}

enum asnap_key asnap_statistics_key(const struct asnap_statistics *statistics)
{
    return statistics->key;
}

bool asnap_statistics_cumulative(const struct asnap_statistics *statistics)
{
    return statistics->cumulative;
}

size_t asnap_statistics_note_count(const struct asnap_statistics *statistics)
{
    return statistics->beside.note_count + statistics->store->note_count;
}

const char *asnap_statistics_note(const struct asnap_statistics *statistics, size_t index)
{
    const struct asnap_statistics_beside *beside = &statistics->beside;
    return index < beside->note_count ? beside->notes[index]
                                      : statistics->store->notes[index - beside->note_count];
}
