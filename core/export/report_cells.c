#include "report_cells.h"

#include <stdlib.h>
#include <string.h>

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
    free(cells->ages.ranges);
    free(cells->sizes.ranges);
    asnap_intern_deinit(&cells->group_table);
    asnap_intern_deinit(&cells->cell_table);
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

static struct asnap_error *add_range(struct asnap_report_cells *cells,
                                     struct asnap_report_ranges *ranges,
                                     const struct asnap_statistics *rows, size_t row)
{
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

/* The ranges that statistics of a snapshot have rows for, so that they are those of the statistics.
 */
static struct asnap_error *find_ranges(struct asnap_report_cells *cells,
                                       const struct asnap_snapshot *snapshot, enum asnap_key key,
                                       struct asnap_report_ranges *ranges)
{
    struct asnap_statistics *rows = NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, key, false, &rows);
    for (size_t i = 0; error == NULL && i < asnap_statistics_count(rows); i++)
        error = add_range(cells, ranges, rows, i);
    asnap_statistics_destroy(rows);
    return error;
}

/* The range that a number lies in; the one of unknown numbers has no numbers below it. */
static uint32_t range_of(const struct asnap_report_ranges *ranges, bool known, uint64_t number)
{
    for (uint32_t i = 0; i < ranges->count; i++) {
        const struct asnap_report_range *range = &ranges->ranges[i];
        if (known ? range->from <= number && number < range->below : range->below == 0)
            return i;
    }
    return 0;
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
    *number = (uint32_t)cells->group_count++;
    asnap_intern_add(&cells->group_table, end, *number);
    return NULL;
}

static bool same_cell(const void *context, uint32_t id)
{
    const struct asnap_report_cells *cells = context;
    const struct asnap_report_cell *one = &cells->cells[id];
    const struct asnap_report_cell *other = &cells->cells[cells->cell_count];
    return one->stack == other->stack && one->group == other->group && one->step == other->step &&
           one->power == other->power;
}

/* Adds a cell of one block to the cell that it differs from in nothing else. */
static struct asnap_error *add_cell(struct asnap_report_cells *cells,
                                    const struct asnap_report_cell *cell)
{
    struct asnap_report_cell *grown =
        asnap_grow(cells->cells, &cells->cell_capacity, cells->cell_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    cells->cells = grown;
    cells->cells[cells->cell_count] = *cell;
    uint64_t hash = asnap_hash_mix(cell->stack, cell->group);
    uint32_t end = asnap_hash_end(asnap_hash_mix(hash, (uint64_t)cell->step << 8 | cell->power));
    uint32_t number = asnap_intern_find(&cells->cell_table, end, same_cell, cells);
    if (number != ASNAP_NONE) {
        cells->cells[number].size += cell->size;
        cells->cells[number].count++;
        return NULL;
    }
    struct asnap_error *error = asnap_intern_reserve(&cells->cell_table);
    if (error == NULL)
        asnap_intern_add(&cells->cell_table, end, (uint32_t)cells->cell_count++);
    return error;
}

static uint8_t step_of(const struct asnap_report_cells *cells, uint32_t time)
{
    if (time == ASNAP_TIME_UNKNOWN)
        return 0;
    uint64_t span = (uint64_t)cells->newest - cells->oldest + 1;
    return (uint8_t)(1 + ((uint64_t)time - cells->oldest) * ASNAP_REPORT_STEPS / span);
}

/* What is the same for all blocks of a snapshot, and what the block before had. */
struct adding {
    struct asnap_report_cells *cells;
    struct asnap_report_numbering *numbering;
    const struct asnap_graph *graph;
    uint32_t newest;
    uint32_t side;
    struct asnap_report_group group;
    uint32_t number; /* of that group; ASNAP_NONE: there is none yet */
    uint32_t time;
    const char *type;
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
    const char *type = asnap_snapshot_type(snapshot, trace);
    if (type != adding->type)
        error = asnap_report_name(adding->cells->stacks->names, type, ASNAP_PRINTABLE_NAME,
                                  &group.type);
    if (error != NULL)
        return error;
    if (trace->time != adding->time || adding->number == ASNAP_NONE)
        group.age = range_of(&adding->cells->ages, trace->time != ASNAP_TIME_UNKNOWN,
                             (adding->newest - trace->time) / ASNAP_TIMES_PER_SECOND);
    adding->type = type;
    adding->time = trace->time;
    if (adding->number == ASNAP_NONE || memcmp(&group, &adding->group, sizeof(group)) != 0)
        error = group_of(adding->cells, &group, &adding->number);
    adding->group = group;
    return error;
}

static struct asnap_error *add_trace(struct adding *adding, const struct asnap_trace *trace)
{
    struct asnap_report_cell cell = {
        .size = trace->size,
        .count = 1,
        .step = step_of(adding->cells, trace->time),
        .power = trace->size == 0 ? 0 : (uint8_t)(64 - __builtin_clzll(trace->size)),
    };
    struct asnap_error *error = find_group(adding, trace);
    if (error == NULL)
        error = asnap_report_stack(adding->cells->stacks, adding->numbering, trace->traceback_id,
                                   &cell.stack);
    if (error != NULL)
        return error;
    cell.group = adding->number;
    return add_cell(adding->cells, &cell);
}

struct asnap_error *asnap_report_cells_add(struct asnap_report_cells *cells,
                                           struct asnap_report_numbering *numbering, uint32_t side,
                                           const struct asnap_graph *graph)
{
    const struct asnap_trace *traces = NULL;
    struct adding adding = {
        .cells = cells,
        .numbering = numbering,
        .graph = graph,
        .newest = asnap_snapshot_newest_time(numbering->snapshot),
        .side = side,
        .number = ASNAP_NONE,
    };
    struct asnap_error *error = asnap_snapshot_traces(numbering->snapshot, &traces);
    if (error == NULL)
        error = find_ranges(cells, numbering->snapshot, ASNAP_KEY_AGE, &cells->ages);
    if (error == NULL)
        error = find_ranges(cells, numbering->snapshot, ASNAP_KEY_SIZE, &cells->sizes);
    uint64_t count = error == NULL ? asnap_snapshot_count(numbering->snapshot) : 0;
    for (uint64_t i = 0; error == NULL && i < count; i++)
        error = add_trace(&adding, &traces[i]);
    return error;
}

/* ---- writing ---- */

/* The cells in order of their stacks: those of one stack as they came. */
static struct asnap_error *order_cells(const struct asnap_report_cells *cells, uint32_t **order,
                                       uint32_t **per_stack)
{
    size_t stacks = cells->stacks->stack_count;
    uint32_t *ends = calloc(stacks + 1, sizeof(*ends));
    uint32_t *counts = calloc(stacks + 1, sizeof(*counts));
    uint32_t *made = calloc(cells->cell_count + 1, sizeof(*made));
    if (ends == NULL || counts == NULL || made == NULL) {
        free(ends);
        free(counts);
        free(made);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < cells->cell_count; i++)
        counts[cells->cells[i].stack]++;
    for (size_t i = 1; i < stacks; i++)
        ends[i] = ends[i - 1] + counts[i - 1];
    for (size_t i = 0; i < cells->cell_count; i++)
        made[ends[cells->cells[i].stack]++] = (uint32_t)i;
    free(ends);
    *order = made;
    *per_stack = counts;
    return NULL;
}

enum column {
    COLUMN_GROUP,
    COLUMN_STEP,
    COLUMN_POWER,
    COLUMN_COUNT,
    COLUMN_SIZE,
    COLUMN_SIZE_HIGH,
};

static uint32_t field(const struct asnap_report_cell *cell, enum column column)
{
    switch (column) {
    case COLUMN_GROUP:
        return cell->group;
    case COLUMN_STEP:
        return cell->step;
    case COLUMN_POWER:
        return cell->power;
    case COLUMN_COUNT:
        return cell->count;
    case COLUMN_SIZE:
        return (uint32_t)cell->size;
    case COLUMN_SIZE_HIGH:
        return (uint32_t)(cell->size >> 32);
    }
    return 0;
}

static void write_cells(const struct asnap_report_cells *cells, const uint32_t *order,
                        enum column column, const char *tag, uint32_t width,
                        struct asnap_report_output *output)
{
    unsigned char bytes[4096];
    size_t used = 0;
    asnap_report_section_begin(output, tag, width, cells->cell_count);
    for (size_t i = 0; i < cells->cell_count; i++) {
        uint32_t number = field(&cells->cells[order[i]], column);
        memcpy(bytes + used, &number, width);
        used += width;
        if (used == sizeof(bytes)) {
            asnap_report_section_bytes(output, bytes, used);
            used = 0;
        }
    }
    asnap_report_section_bytes(output, bytes, used);
    asnap_report_section_end(output, cells->cell_count * width);
}

static struct asnap_error *write_ranges(const struct asnap_report_ranges *ranges, const char *tag,
                                        struct asnap_report_output *output)
{
    struct asnap_report_list list = {0};
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < ranges->count; i++) {
        error = asnap_report_list_add_wide(&list, ranges->ranges[i].from);
        if (error == NULL)
            error = asnap_report_list_add_wide(&list, ranges->ranges[i].below);
        if (error == NULL)
            error = asnap_report_list_add(&list, ranges->ranges[i].label);
    }
    if (error == NULL)
        asnap_report_section(output, tag, 4, list.numbers, list.count);
    free(list.numbers);
    return error;
}

struct asnap_error *asnap_report_cells_write(const struct asnap_report_cells *cells,
                                             struct asnap_report_output *output)
{
    uint32_t *order = NULL;
    uint32_t *per_stack = NULL;
    struct asnap_error *error = write_ranges(&cells->ages, "ages", output);
    if (error == NULL)
        error = write_ranges(&cells->sizes, "size", output);
    if (error == NULL)
        error = order_cells(cells, &order, &per_stack);
    if (error != NULL)
        return error;
    asnap_report_section(output, "grou", 4, cells->groups,
                         cells->group_count * sizeof(*cells->groups) / 4);
    asnap_report_section(output, "cest", 4, per_stack, cells->stacks->stack_count);
    write_cells(cells, order, COLUMN_GROUP, "cegr", 4, output);
    write_cells(cells, order, COLUMN_STEP, "cebi", 1, output);
    write_cells(cells, order, COLUMN_POWER, "cepo", 1, output);
    write_cells(cells, order, COLUMN_COUNT, "ceco", 4, output);
    write_cells(cells, order, COLUMN_SIZE, "cesi", 4, output);
    write_cells(cells, order, COLUMN_SIZE_HIGH, "cesh", 4, output);
    free(order);
    free(per_stack);
    return NULL;
}
