#include "report_cells.h"

#include <stdlib.h>
#include <string.h>

#include "age_steps.h"
#include "grow.h"

void asnap_report_cells_init(struct asnap_report_cells *cells, struct asnap_report_stacks *stacks)
{
    *cells = (struct asnap_report_cells){
        .stacks = stacks, .oldest = ASNAP_TIME_UNKNOWN, .newest = ASNAP_TIME_UNKNOWN};
}

void asnap_report_cells_deinit(struct asnap_report_cells *cells)
{
    free(cells->groups);
    free(cells->cells);
    free(cells->sizes.ranges);
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
    return error;
}

/* ---- ranges ---- */

static struct asnap_error *add_size(struct asnap_report_cells *cells,
                                    const struct asnap_statistics *rows, size_t row)
{
    struct asnap_report_ranges *ranges = &cells->sizes;
    struct asnap_bounds bounds = asnap_statistics_bounds(rows, row);
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->ranges[i].from == bounds.from && ranges->ranges[i].below == bounds.below)
            return NULL;
    }
    struct asnap_report_range *grown =
        asnap_grow(ranges->ranges, &ranges->capacity, ranges->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    ranges->ranges = grown;
    char buffer[ASNAP_LABEL_SIZE];
    struct asnap_report_range range = {.from = bounds.from, .below = bounds.below};
    struct asnap_error *error =
        asnap_report_name(cells->stacks->names, asnap_statistics_label(rows, row, buffer),
                          ASNAP_PRINTABLE_TEXT, &range.label);
    if (error == NULL)
        ranges->ranges[ranges->count++] = range;
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

/* ---- groups and cells ---- */

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

static uint32_t step_of(const struct asnap_report_cells *cells, uint32_t time)
{
    if (time == ASNAP_TIME_UNKNOWN)
        return 0;
    uint64_t span = (uint64_t)cells->newest - cells->oldest + 1;
    return (uint32_t)(1 + ((uint64_t)time - cells->oldest) * ASNAP_REPORT_STEPS / span);
}

/* Where a cell of the stack that is added is, found by its kind. */
struct slot {
    uint32_t stack; /* that it was used for last, plus 1 */
    uint32_t cell;
};

/* What is the same for all blocks of a snapshot, and what the block before had. */
struct adding {
    struct asnap_report_cells *cells;
    struct asnap_report_numbering *numbering;
    const struct asnap_graph *graph;
    uint32_t newest;
    uint32_t side;
    struct asnap_report_group group;
    uint32_t number; /* of that group; ASNAP_NONE: there is none yet */
    const char *type;
    /* The blocks in order of their stacks. */
    const struct asnap_trace *traces;
    size_t count;
    uint32_t *stacks; /* of each trace, as it was given */
    uint32_t *order;  /* their places, those of one stack after those of the one before */
    size_t *ends;     /* of each stack in `order` */
    struct slot *slots;
    size_t slot_count; /* a power of two */
};

static struct asnap_error *find_group(struct adding *adding, const struct asnap_trace *trace)
{
    const struct asnap_snapshot *snapshot = adding->numbering->snapshot;
    struct asnap_report_group group = adding->group;
    struct asnap_error *error = NULL;
    group.side = adding->side;
    group.thread = trace->thread < asnap_snapshot_thread_count(snapshot)
                       ? asnap_snapshot_thread(snapshot, trace->thread)
                       : 0;
    group.domain = trace->domain;
    if (adding->graph != NULL) {
        uint32_t block = asnap_graph_block_of(adding->graph, trace);
        group.reach = block == ASNAP_GRAPH_NO_BLOCK ? ASNAP_REACH_UNKNOWN
                                                    : asnap_graph_block(adding->graph, block).reach;
    }
    const char *type = asnap_snapshot_class(snapshot, trace);
    if (type != adding->type)
        error = asnap_report_name(adding->cells->stacks->names, type, ASNAP_PRINTABLE_NAME,
                                  &group.type);
    if (error != NULL)
        return error;
    group.age = asnap_age_step(adding->newest, trace->time);
    adding->type = type;
    if (adding->number == ASNAP_NONE || memcmp(&group, &adding->group, sizeof(group)) != 0)
        error = group_of(adding->cells, &group, &adding->number);
    adding->group = group;
    return error;
}

/* The kind of a block. */
static struct asnap_error *kind_of(struct adding *adding, const struct asnap_trace *trace,
                                   uint32_t *kind)
{
    uint32_t power = trace->size == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(trace->size);
    struct asnap_error *error = find_group(adding, trace);
    *kind = ASNAP_REPORT_KIND(adding->number, step_of(adding->cells, trace->time), power);
    return error;
}

/* Finds the stack of each block, and puts the blocks in the order of these. */
static struct asnap_error *order_blocks(struct adding *adding)
{
    struct asnap_error *error = NULL;
    adding->stacks = calloc(adding->count + 1, sizeof(*adding->stacks));
    adding->order = calloc(adding->count + 1, sizeof(*adding->order));
    if (adding->stacks == NULL || adding->order == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < adding->count; i++)
        error = asnap_report_stack(adding->cells->stacks, adding->numbering,
                                   adding->traces[i].traceback_id, &adding->stacks[i]);
    if (error != NULL)
        return error;
    adding->ends = calloc(adding->cells->stacks->stack_count + 1, sizeof(*adding->ends));
    if (adding->ends == NULL)
        return asnap_error_no_memory();
    /* First how many blocks each has, at the place after its own; then where its own begin. */
    for (size_t i = 0; i < adding->count; i++)
        adding->ends[adding->stacks[i] + 1]++;
    for (size_t i = 1; i <= adding->cells->stacks->stack_count; i++)
        adding->ends[i] += adding->ends[i - 1];
    for (size_t i = 0; i < adding->count; i++)
        adding->order[adding->ends[adding->stacks[i]]++] = (uint32_t)i;
    return NULL;
}

/* Makes room for the kinds of `count` blocks. */
static struct asnap_error *reserve_slots(struct adding *adding, size_t count)
{
    size_t wanted = 64;
    while (wanted < 2 * count)
        wanted *= 2;
    if (wanted <= adding->slot_count)
        return NULL;
    free(adding->slots);
    adding->slots = calloc(wanted, sizeof(*adding->slots));
    adding->slot_count = adding->slots == NULL ? 0 : wanted;
    return adding->slots == NULL ? asnap_error_no_memory() : NULL;
}

/* Adds a block to the cell of its stack and kind. There is room for one more cell. */
static void add_to_cell(struct adding *adding, uint32_t stack, uint32_t kind, uint64_t size)
{
    struct asnap_report_cells *cells = adding->cells;
    size_t mask = adding->slot_count - 1;
    for (size_t i = asnap_hash_end(asnap_hash_mix(0, kind)) & mask;; i = (i + 1) & mask) {
        struct slot *slot = &adding->slots[i];
        if (slot->stack != stack + 1) {
            *slot = (struct slot){stack + 1, (uint32_t)cells->cell_count};
            cells->cells[cells->cell_count++] =
                (struct asnap_report_cell){.size = size, .count = 1, .stack = stack, .kind = kind};
            return;
        }
        if (cells->cells[slot->cell].kind == kind) {
            cells->cells[slot->cell].size += size;
            cells->cells[slot->cell].count++;
            return;
        }
    }
}

/* Adds the blocks of one stack, whose places begin at `first`. */
static struct asnap_error *add_stack(struct adding *adding, size_t first, size_t *end)
{
    struct asnap_report_cells *cells = adding->cells;
    uint32_t stack = adding->stacks[adding->order[first]];
    *end = adding->ends[stack];
    struct asnap_error *error = reserve_slots(adding, *end - first);
    if (error != NULL)
        return error;
    struct asnap_report_cell *grown = asnap_grow(
        cells->cells, &cells->cell_capacity, cells->cell_count + (*end - first), sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    cells->cells = grown;
    for (size_t i = first; error == NULL && i < *end; i++) {
        const struct asnap_trace *trace = &adding->traces[adding->order[i]];
        uint32_t kind;
        error = kind_of(adding, trace, &kind);
        if (error == NULL)
            add_to_cell(adding, stack, kind, trace->size);
    }
    return error;
}

static struct asnap_error *add_blocks(struct adding *adding)
{
    struct asnap_error *error = asnap_snapshot_traces(adding->numbering->snapshot, &adding->traces);
    if (error == NULL)
        error = order_blocks(adding);
    for (size_t i = 0; error == NULL && i < adding->count;)
        error = add_stack(adding, i, &i);
    free(adding->stacks);
    free(adding->order);
    free(adding->ends);
    free(adding->slots);
    return error;
}

struct asnap_error *asnap_report_cells_add(struct asnap_report_cells *cells,
                                           struct asnap_report_numbering *numbering, uint32_t side,
                                           const struct asnap_graph *graph)
{
    struct adding adding = {
        .cells = cells,
        .numbering = numbering,
        .graph = graph,
        .newest = asnap_snapshot_newest_time(numbering->snapshot),
        .side = side,
        .number = ASNAP_NONE,
        .count = asnap_snapshot_count(numbering->snapshot),
    };
    struct asnap_error *error = find_sizes(cells, numbering->snapshot);
    return error == NULL ? add_blocks(&adding) : error;
}

/* ---- writing ---- */

/* The cells of both snapshots in order of their stacks. */
static int by_stack(const void *left, const void *right)
{
    const struct asnap_report_cell *a = left;
    const struct asnap_report_cell *b = right;
    if (a->stack != b->stack)
        return a->stack < b->stack ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

/* How far each cell's stack is from that of the one before. */
static uint32_t stack_distance(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return index == 0 ? cells[0].stack : cells[index].stack - cells[index - 1].stack;
}

static uint32_t group_field(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return cells[index].kind >> 15;
}

static uint32_t step_field(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return cells[index].kind >> 7 & 0xff;
}

static uint32_t power_field(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return cells[index].kind & 0x7f;
}

static uint32_t low_size(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return (uint32_t)cells[index].size;
}

static uint32_t high_size(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return (uint32_t)(cells[index].size >> 32);
}

static struct asnap_error *add_range(struct asnap_report_list *list, uint64_t from, uint64_t below,
                                     uint32_t label)
{
    struct asnap_error *error = asnap_report_list_add_wide(list, from);
    if (error == NULL)
        error = asnap_report_list_add_wide(list, below);
    return error != NULL ? error : asnap_report_list_add(list, label);
}

static struct asnap_error *list_ages(struct asnap_report_cells *cells,
                                     struct asnap_report_list *list)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < ASNAP_AGE_STEPS; i++) {
        const struct asnap_age_step *step = &asnap_age_steps[i];
        uint32_t label;
        error = asnap_report_name(cells->stacks->names, step->label, ASNAP_PRINTABLE_TEXT, &label);
        if (error == NULL)
            error = add_range(list, step->from, step->below, label);
    }
    return error;
}

static struct asnap_error *list_sizes(const struct asnap_report_cells *cells,
                                      struct asnap_report_list *list)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < cells->sizes.count; i++) {
        const struct asnap_report_range *range = &cells->sizes.ranges[i];
        error = add_range(list, range->from, range->below, range->label);
    }
    return error;
}

static struct asnap_error *write_ranges(struct asnap_report_cells *cells,
                                        struct asnap_report_output *output)
{
    struct asnap_report_list list = {0};
    struct asnap_error *error = list_ages(cells, &list);
    if (error == NULL) {
        asnap_report_section(output, "ages", 4, list.numbers, list.count);
        list.count = 0;
        error = list_sizes(cells, &list);
    }
    if (error == NULL)
        asnap_report_section(output, "size", 4, list.numbers, list.count);
    free(list.numbers);
    return error;
}

struct asnap_error *asnap_report_cells_write(struct asnap_report_cells *cells,
                                             struct asnap_report_output *output)
{
    struct asnap_error *error = write_ranges(cells, output);
    if (error != NULL)
        return error;
    /* Those of one snapshot are in order already. */
    for (size_t i = 1; i < cells->cell_count; i++) {
        if (cells->cells[i].stack < cells->cells[i - 1].stack) {
            qsort(cells->cells, cells->cell_count, sizeof(*cells->cells), by_stack);
            break;
        }
    }
    asnap_report_section(output, "grou", 4, cells->groups,
                         cells->group_count * sizeof(*cells->groups) / 4);
    asnap_report_column(output, "cest", cells->cell_count, stack_distance, cells->cells);
    asnap_report_column(output, "cegr", cells->cell_count, group_field, cells->cells);
    asnap_report_column(output, "cebi", cells->cell_count, step_field, cells->cells);
    asnap_report_column(output, "cepo", cells->cell_count, power_field, cells->cells);
    ASNAP_REPORT_FIELD(output, "ceco", cells->cells, cells->cell_count, count);
    asnap_report_column(output, "cesi", cells->cell_count, low_size, cells->cells);
    asnap_report_column(output, "cesh", cells->cell_count, high_size, cells->cells);
    return NULL;
}
