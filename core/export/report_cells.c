#include "report_cells.h"

#include <stdlib.h>
#include <string.h>

#include "age_steps.h"
#include "block_reach.h"
#include "grow.h"

void asnap_report_cells_init(struct asnap_report_cells *cells, struct asnap_report_stacks *stacks)
{
    *cells = (struct asnap_report_cells){
        .stacks = stacks, .oldest = ASNAP_TIME_UNKNOWN, .newest = ASNAP_TIME_UNKNOWN};
}

void asnap_report_cells_deinit(struct asnap_report_cells *cells)
{
    free(cells->groups);
    free(cells->blocks);
    free(cells->cells);
    free(cells->estimates);
    free(cells->sizes);
    asnap_intern_deinit(&cells->group_table);
}

struct asnap_error *asnap_report_cells_span(struct asnap_report_cells *cells,
                                            const struct asnap_snapshot *snapshot)
{
    const struct asnap_trace *traces;
    struct asnap_error *error = asnap_snapshot_traces(snapshot, &traces);
    uint64_t count = error == NULL ? asnap_snapshot_count(snapshot) : 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t time = traces[i].time;
        if (time == ASNAP_TIME_UNKNOWN)
            continue;
        if (time < cells->oldest)
            cells->oldest = time;
        if (cells->newest == ASNAP_TIME_UNKNOWN || time > cells->newest)
            cells->newest = time;
    }
    cells->is_sample |= asnap_snapshot_sample_period(snapshot) != 0;
    return error;
}

/* ---- sizes ---- */

static struct asnap_error *add_size(struct asnap_report_cells *cells,
                                    const struct asnap_statistics *rows, size_t row)
{
    struct asnap_bounds bounds = asnap_statistics_bounds(rows, row);
    for (size_t i = 0; i < cells->size_count; i++) {
        if (cells->sizes[i].from == bounds.from)
            return NULL;
    }
    struct asnap_report_range *grown =
        asnap_grow(cells->sizes, &cells->size_capacity, cells->size_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    cells->sizes = grown;
    char buffer[ASNAP_LABEL_SIZE];
    struct asnap_report_range range = {.from = bounds.from, .below = bounds.below};
    struct asnap_error *error =
        asnap_report_name(cells->stacks->names, asnap_statistics_label(rows, row, buffer),
                          ASNAP_PRINTABLE_TEXT, &range.label);
    if (error == NULL)
        cells->sizes[cells->size_count++] = range;
    return error;
}

/* The sizes that statistics of a snapshot have rows for, so that they are those of the statistics.
 */
static struct asnap_error *find_sizes(struct asnap_report_cells *cells,
                                      const struct asnap_snapshot *snapshot)
{
    struct asnap_statistics *rows = NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, ASNAP_KEY_SIZE, false, &rows);
    for (size_t i = 0; error == NULL && i < asnap_statistics_count(rows); i++)
        error = add_size(cells, rows, i);
    asnap_statistics_destroy(rows);
    return error;
}

/* ---- groups ---- */

static bool same_group(const void *context, uint32_t id)
{
    const struct asnap_report_cells *cells = context;
    return memcmp(&cells->groups[id], &cells->groups[cells->group_count], sizeof(*cells->groups)) ==
           0;
}

/* The number of a group. */
static struct asnap_error *group_of(struct asnap_report_cells *cells,
                                    const struct asnap_report_group *group, uint32_t *number)
{
    struct asnap_report_group *grown =
        asnap_grow(cells->groups, &cells->group_capacity, cells->group_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    cells->groups = grown;
    cells->groups[cells->group_count] = *group;
    const uint32_t *words = (const uint32_t *)group;
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof(*group) / sizeof(*words); i++)
        hash = asnap_hash_mix(hash, words[i]);
    uint32_t end = asnap_hash_end(hash);
    *number = asnap_intern_find(&cells->group_table, end, same_group, cells);
    if (*number != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(&cells->group_table);
    if (error != NULL)
        return error;
    if (cells->group_count == ASNAP_REPORT_GROUPS_MAX)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "no report of blocks of so many threads, domains and types: a "
                                  "filter can choose some of them");
    cells->has_types |= group->type != 0;
    *number = (uint32_t)cells->group_count++;
    asnap_intern_add(&cells->group_table, end, *number);
    return NULL;
}

enum { FOUND = 256 };

/* What is the same for all blocks of a snapshot, and what the block before had. */
struct adding {
    struct asnap_report_cells *cells;
    struct asnap_report_numbering *numbering;
    const struct asnap_graph *graph;
    uint32_t newest;
    struct asnap_report_group group;
    uint32_t number; /* of that group; ASNAP_NONE: there is none yet */
    const char *type;
    uint32_t next; /* block of the graph that may come next */
    /* Groups that were found of late, at places that their fields lead to. */
    struct {
        struct asnap_report_group group;
        uint32_t number_and_1; /* 0: none was */
    } found[FOUND];
};

/* Finds the group that blocks have from now on. */
static struct asnap_error *change_group(struct adding *adding,
                                        const struct asnap_report_group *group)
{
    uint32_t place =
        (group->thread * 7 + group->age * 3 + group->reach + group->domain * 5 + group->type * 11) %
        FOUND;
    bool is_known = adding->found[place].number_and_1 != 0 &&
                    memcmp(group, &adding->found[place].group, sizeof(*group)) == 0;
    adding->group = *group;
    if (is_known) {
        adding->number = adding->found[place].number_and_1 - 1;
        return NULL;
    }
    struct asnap_error *error = group_of(adding->cells, group, &adding->number);
    adding->found[place].group = *group;
    adding->found[place].number_and_1 = error == NULL ? adding->number + 1 : 0;
    return error;
}

static struct asnap_error *find_group(struct adding *adding, const struct asnap_trace *trace)
{
    const struct asnap_snapshot *snapshot = adding->numbering->snapshot;
    struct asnap_report_group group = adding->group;
    struct asnap_error *error = NULL;
    group.thread = trace->thread < asnap_snapshot_thread_count(snapshot)
                       ? asnap_snapshot_thread(snapshot, trace->thread)
                       : 0;
    group.domain = trace->domain;
    group.reach = asnap_block_reach(adding->graph, trace, &adding->next);
    group.age = asnap_age_step(adding->newest, trace->time);
    const char *type = asnap_snapshot_class(snapshot, trace);
    if (type != adding->type)
        error = asnap_report_name(adding->cells->stacks->names, type, ASNAP_PRINTABLE_NAME,
                                  &group.type);
    if (error != NULL)
        return error;
    adding->type = type;
    if (adding->number == ASNAP_NONE || memcmp(&group, &adding->group, sizeof(group)) != 0)
        error = change_group(adding, &group);
    return error;
}

/* ---- blocks and cells ---- */

static uint32_t step_of(const struct asnap_report_cells *cells, uint32_t time)
{
    if (time == ASNAP_TIME_UNKNOWN)
        return 0;
    uint64_t span = (uint64_t)cells->newest - cells->oldest + 1;
    return (uint32_t)(1 + ((uint64_t)time - cells->oldest) * ASNAP_REPORT_STEPS / span);
}

/* Appends a block, for which there is room. */
static struct asnap_error *add_block(struct adding *adding, const struct asnap_trace *trace)
{
    struct asnap_report_cells *cells = adding->cells;
    uint32_t power = trace->size == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(trace->size);
    struct asnap_report_block *block = &cells->blocks[cells->block_count];
    struct asnap_error *error =
        asnap_report_stack(cells->stacks, adding->numbering, trace->traceback_id, &block->stack);
    if (error == NULL)
        error = find_group(adding, trace);
    if (error != NULL)
        return error;
    block->size = trace->size;
    block->kind = ASNAP_REPORT_KIND(adding->number, step_of(cells, trace->time), power);
    cells->block_count++;
    return NULL;
}

/* Makes room for so many more blocks. */
static struct asnap_error *reserve_blocks(struct asnap_report_cells *cells, size_t more)
{
    size_t size = (cells->block_count + more + 1) * sizeof(*cells->blocks);
    struct asnap_report_block *grown = realloc(cells->blocks, size);
    if (grown == NULL)
        return asnap_error_no_memory();
    cells->blocks = asnap_in_huge_pages(grown, size);
    return NULL;
}

struct asnap_error *asnap_report_cells_add(struct asnap_report_cells *cells,
                                           struct asnap_report_numbering *numbering, uint32_t side,
                                           const struct asnap_export_job *job)
{
    const struct asnap_snapshot *snapshot = numbering->snapshot;
    struct adding adding = {
        .cells = cells,
        .numbering = numbering,
        .graph = side == 0 ? job->options->graph : NULL,
        .newest = asnap_snapshot_newest_time(snapshot),
        .group = {.side = side},
        .number = ASNAP_NONE,
    };
    const struct asnap_trace *traces;
    uint64_t count = asnap_snapshot_count(snapshot);
    cells->periods[side] = asnap_snapshot_sample_period(snapshot);
    struct asnap_error *error = find_sizes(cells, snapshot);
    if (error == NULL)
        error = asnap_snapshot_traces(snapshot, &traces);
    if (error == NULL)
        error = reserve_blocks(cells, count);
    for (uint64_t i = 0; error == NULL && i < count && asnap_export_goes_on(job, i, count); i++)
        error = add_block(&adding, &traces[i]);
    return error;
}

/* Adds what a block stands for to the last cell. */
static void add_amount(struct asnap_report_cells *cells, const struct asnap_report_block *block)
{
    uint64_t period = cells->periods[cells->groups[block->kind >> ASNAP_REPORT_GROUP_SHIFT].side];
    struct asnap_report_cell *cell = &cells->cells[cells->cell_count - 1];
    struct asnap_estimate estimate = {.size = block->size, .count = 1};
    if (period != 0)
        estimate = asnap_block_estimate(block->size, period);
    cell->size += estimate.size;
    cell->count++;
    if (cells->is_sample) {
        struct asnap_report_estimate *sum = &cells->estimates[cells->cell_count - 1];
        sum->parts += (uint64_t)(estimate.count * ASNAP_REPORT_PARTS);
        sum->variance += estimate.size_error * estimate.size_error;
    }
}

static bool is_new(const struct asnap_report_block *blocks, size_t i)
{
    return i == 0 || blocks[i].stack != blocks[i - 1].stack || blocks[i].kind != blocks[i - 1].kind;
}

struct asnap_error *asnap_report_cells_sum(struct asnap_report_cells *cells)
{
    struct asnap_error *error = asnap_report_order(&cells->blocks, cells->block_count);
    if (error != NULL)
        return error;
    const struct asnap_report_block *blocks = cells->blocks;
    size_t count = 0;
    for (size_t i = 0; i < cells->block_count; i++)
        count += is_new(blocks, i);
    cells->cells = calloc(count + 1, sizeof(*cells->cells));
    if (cells->is_sample)
        cells->estimates = calloc(count + 1, sizeof(*cells->estimates));
    if (cells->cells == NULL || (cells->is_sample && cells->estimates == NULL))
        return asnap_error_no_memory();
    for (size_t i = 0; i < cells->block_count; i++) {
        if (is_new(blocks, i))
            cells->cells[cells->cell_count++] =
                (struct asnap_report_cell){.stack = blocks[i].stack, .kind = blocks[i].kind};
        add_amount(cells, &blocks[i]);
    }
    free(cells->blocks);
    cells->blocks = NULL;
    cells->block_count = 0;
    return NULL;
}
