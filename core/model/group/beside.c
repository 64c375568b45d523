/* What a graph tells of the rows of statistics. */
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "statistics.h"

static struct asnap_error *copy_notes(const struct asnap_graph *graph,
                                      struct asnap_statistics_beside *beside)
{
    size_t count = asnap_graph_note_count(graph);
    beside->notes = calloc(count + 1, sizeof(*beside->notes));
    if (beside->notes == NULL)
        return asnap_error_no_memory();
    for (; beside->note_count < count; beside->note_count++) {
        char *note = strdup(asnap_graph_note(graph, beside->note_count));
        if (note == NULL)
            return asnap_error_no_memory();
        beside->notes[beside->note_count] = note;
    }
    return NULL;
}

static void add_indirect(const struct asnap_graph *graph, const struct asnap_blocks *blocks,
                         const uint32_t *numbers, struct asnap_beside_sum *sums)
{
    for (size_t i = 0; i < blocks->count; i++) {
        uint32_t block = asnap_graph_block_of(graph, &blocks->traces[i]);
        if (block == ASNAP_GRAPH_NO_BLOCK || numbers[i] == ASNAP_NONE)
            continue;
        struct asnap_graph_block_info info = asnap_graph_block(graph, block);
        sums[numbers[i]].size += info.indirect_size;
        sums[numbers[i]].count += info.indirect_count;
        sums[numbers[i]].cycles += info.cycle_count != 0;
        sums[numbers[i]].cycle_count += info.cycle_count;
    }
}

static struct asnap_error *add_retained(const struct asnap_graph *graph,
                                        const struct asnap_blocks *blocks, const uint32_t *numbers,
                                        struct asnap_beside_sum *sums, uint32_t row_count)
{
    uint64_t *sizes = calloc((size_t)row_count + 1, sizeof(*sizes));
    uint64_t *counts = calloc((size_t)row_count + 1, sizeof(*counts));
    struct asnap_error *error = asnap_error_no_memory();
    if (sizes != NULL && counts != NULL)
        error = asnap_graph_retained_by(graph, blocks->traces, blocks->count, numbers, row_count,
                                        sizes, counts);
    for (uint32_t i = 0; error == NULL && i < row_count; i++)
        sums[i] = (struct asnap_beside_sum){.size = sizes[i], .count = counts[i]};
    free(sizes);
    free(counts);
    return error;
}

static uint64_t retained_key(const void *context, uint32_t item, uint32_t level)
{
    const struct asnap_statistics *statistics = context;
    if (level == 0)
        return statistics->beside.sums[item].size;
    /* Rows are in their own order already. */
    return UINT32_MAX - item;
}

/* Puts the rows that retain most first. */
static struct asnap_error *sort_rows(struct asnap_statistics *statistics)
{
    struct asnap_groups *groups = &statistics->groups;
    struct asnap_order_keys keys = {retained_key, statistics, 2};
    uint32_t *order = NULL;
    struct asnap_error *error = asnap_order_create(&keys, groups->count, &order);
    if (error != NULL)
        return error;
    struct asnap_group *rows = calloc((size_t)groups->count + 1, sizeof(*rows));
    struct asnap_beside_sum *sums = calloc((size_t)groups->count + 1, sizeof(*sums));
    if (rows == NULL || sums == NULL) {
        free(rows);
        free(sums);
        free(order);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < groups->count; i++) {
        rows[i] = groups->rows[order[i]];
        sums[i] = statistics->beside.sums[order[i]];
    }
    free(order);
    free(groups->rows);
    free(statistics->beside.sums);
    groups->rows = rows;
    statistics->beside.sums = sums;
    return NULL;
}

static struct asnap_error *add_sums(struct asnap_statistics *statistics,
                                    const struct asnap_snapshot *snapshot,
                                    const struct asnap_graph *graph, enum asnap_beside kind)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint32_t row_count = statistics->groups.count;
    uint32_t *numbers = calloc(blocks->count + 1, sizeof(*numbers));
    statistics->beside.sums = calloc((size_t)row_count + 1, sizeof(*statistics->beside.sums));
    if (numbers == NULL || statistics->beside.sums == NULL)
        error = asnap_error_no_memory();
    else
        error = asnap_statistics_row_numbers(statistics, snapshot, numbers);
    /* Of a sample, most of what hangs on a block is not known. */
    if (error == NULL && kind != ASNAP_BESIDE_RETAINED && statistics->sample_period == 0)
        add_indirect(graph, blocks, numbers, statistics->beside.sums);
    else if (error == NULL && kind == ASNAP_BESIDE_RETAINED)
        error = add_retained(graph, blocks, numbers, statistics->beside.sums, row_count);
    free(numbers);
    if (error == NULL && kind == ASNAP_BESIDE_RETAINED)
        error = sort_rows(statistics);
    return error;
}

struct asnap_error *asnap_statistics_add_graph(struct asnap_statistics *statistics,
                                               const struct asnap_snapshot *snapshot,
                                               const struct asnap_graph *graph,
                                               enum asnap_beside kind)
{
    if (statistics->cumulative || statistics->beside.kind != ASNAP_BESIDE_NOTHING)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_statistics_add_graph: cumulative, or asked for twice");
    if (kind == ASNAP_BESIDE_RETAINED && statistics->sample_period != 0)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "what blocks keep alive cannot be told of a sample: trace every "
                                  "block (`snapshot start --sample 0`)");
    statistics->beside.kind = kind;
    struct asnap_error *error = copy_notes(graph, &statistics->beside);
    if (error == NULL)
        error = add_sums(statistics, snapshot, graph, kind);
    return error;
}

/* The sums of the first `row_count` rows. */
static struct asnap_error *add_exact(struct asnap_statistics *statistics,
                                     const struct asnap_snapshot *snapshot,
                                     const struct asnap_graph *graph, uint32_t row_count,
                                     const struct asnap_progress *progress)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint32_t *numbers = calloc(blocks->count + 1, sizeof(*numbers));
    uint64_t *sizes = calloc((size_t)row_count + 1, sizeof(*sizes));
    uint64_t *counts = calloc((size_t)row_count + 1, sizeof(*counts));
    error = asnap_error_no_memory();
    if (numbers != NULL && sizes != NULL && counts != NULL)
        error = asnap_statistics_row_numbers(statistics, snapshot, numbers);
    if (error == NULL) {
        for (size_t i = 0; i < blocks->count; i++)
            numbers[i] = numbers[i] < row_count ? numbers[i] : UINT32_MAX;
        error = asnap_graph_retained_exactly(graph, blocks->traces, blocks->count, numbers,
                                             row_count, progress, sizes, counts);
    }
    for (uint32_t i = 0; error == NULL && i < row_count; i++) {
        statistics->beside.sums[i].exact_size = sizes[i];
        statistics->beside.sums[i].exact_count = counts[i];
    }
    free(numbers);
    free(sizes);
    free(counts);
    return error;
}

struct asnap_error *asnap_statistics_add_exact(struct asnap_statistics *statistics,
                                               const struct asnap_snapshot *snapshot,
                                               const struct asnap_graph *graph, size_t row_count,
                                               const struct asnap_progress *progress)
{
    if (statistics->beside.kind != ASNAP_BESIDE_RETAINED)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_statistics_add_exact: what rows retain was not added");
    uint32_t all = statistics->groups.count;
    bool is_part = row_count != 0 && row_count < all;
    return add_exact(statistics, snapshot, graph, is_part ? (uint32_t)row_count : all, progress);
}

enum asnap_beside asnap_statistics_beside(const struct asnap_statistics *statistics)
{
    return statistics->beside.kind;
}

struct asnap_beside_sum asnap_statistics_beside_sum(const struct asnap_statistics *statistics,
                                                    size_t index)
{
    return statistics->beside.sums == NULL ? (struct asnap_beside_sum){0}
                                           : statistics->beside.sums[index];
}
