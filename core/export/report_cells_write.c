/* The cells of a report as sections. */
#include <stdlib.h>
#include <string.h>

#include "age_steps.h"
#include "report_cells.h"

/* The cells in order of their stacks, copied: each column is a pass over them. */
struct ordered {
    size_t count;
    struct asnap_report_cell *cells;
    struct asnap_report_estimate *estimates; /* NULL: nothing is a sample */
};

static const struct asnap_report_cell *cell_at(const void *context, size_t index)
{
    return &((const struct ordered *)context)->cells[index];
}

static const struct asnap_report_estimate *estimate_at(const void *context, size_t index)
{
    return &((const struct ordered *)context)->estimates[index];
}

/* How far each cell's stack is from that of the one before. */
static uint32_t stack_distance(const void *context, size_t index)
{
    uint32_t stack = cell_at(context, index)->stack;
    return index == 0 ? stack : stack - cell_at(context, index - 1)->stack;
}

static uint32_t group_field(const void *context, size_t index)
{
    return cell_at(context, index)->kind >> 15;
}

static uint32_t step_field(const void *context, size_t index)
{
    return cell_at(context, index)->kind >> 7 & 0xff;
}

static uint32_t power_field(const void *context, size_t index)
{
    return cell_at(context, index)->kind & 0x7f;
}

static uint32_t block_count(const void *context, size_t index)
{
    return cell_at(context, index)->count;
}

static uint32_t low_size(const void *context, size_t index)
{
    return (uint32_t)cell_at(context, index)->size;
}

static uint32_t high_size(const void *context, size_t index)
{
    return (uint32_t)(cell_at(context, index)->size >> 32);
}

static uint32_t low_parts(const void *context, size_t index)
{
    return (uint32_t)estimate_at(context, index)->parts;
}

static uint32_t high_parts(const void *context, size_t index)
{
    return (uint32_t)(estimate_at(context, index)->parts >> 32);
}

static uint64_t variance_bits(const void *context, size_t index)
{
    uint64_t bits;
    memcpy(&bits, &estimate_at(context, index)->variance, sizeof(bits));
    return bits;
}

static uint32_t low_variance(const void *context, size_t index)
{
    return (uint32_t)variance_bits(context, index);
}

static uint32_t high_variance(const void *context, size_t index)
{
    return (uint32_t)(variance_bits(context, index) >> 32);
}

static void deinit(struct ordered *ordered)
{
    free(ordered->cells);
    free(ordered->estimates);
}

/* Copies the cells: those of one stack follow each other, as they came. `ends` is all zero. */
static void copy_cells(const struct asnap_report_cells *cells, size_t *ends,
                       struct ordered *ordered)
{
    /* First how many cells each has, at the place after its own; then where its own begin. */
    for (size_t i = 0; i < cells->cell_count; i++)
        ends[cells->cells[i].stack + 1]++;
    for (size_t i = 1; i <= cells->stacks->stack_count; i++)
        ends[i] += ends[i - 1];
    for (size_t i = 0; i < cells->cell_count; i++) {
        size_t place = ends[cells->cells[i].stack]++;
        ordered->cells[place] = cells->cells[i];
        if (cells->is_sample)
            ordered->estimates[place] = cells->estimates[i];
    }
}

static struct asnap_error *order_cells(const struct asnap_report_cells *cells,
                                       struct ordered *ordered)
{
    size_t room = cells->cell_count + 1;
    size_t *ends = calloc(cells->stacks->stack_count + 1, sizeof(*ends));
    *ordered = (struct ordered){.count = cells->cell_count,
                                .cells = calloc(room, sizeof(*ordered->cells))};
    if (cells->is_sample)
        ordered->estimates = calloc(room, sizeof(*ordered->estimates));
    struct asnap_error *error = NULL;
    if (ends == NULL || ordered->cells == NULL || (cells->is_sample && ordered->estimates == NULL))
        error = asnap_error_no_memory();
    else
        copy_cells(cells, ends, ordered);
    free(ends);
    if (error != NULL)
        deinit(ordered);
    return error;
}

static struct asnap_error *add_range(struct asnap_report_list *list, uint64_t from, uint64_t below,
                                     uint32_t label)
{
    struct asnap_error *error = asnap_report_list_add_wide(list, from);
    if (error == NULL)
        error = asnap_report_list_add_wide(list, below);
    return error != NULL ? error : asnap_report_list_add(list, label);
}

static struct asnap_error *list_ages(const struct asnap_report_cells *cells,
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
    for (size_t i = 0; error == NULL && i < cells->size_count; i++)
        error = add_range(list, cells->sizes[i].from, cells->sizes[i].below, cells->sizes[i].label);
    return error;
}

static struct asnap_error *write_ranges(const struct asnap_report_cells *cells,
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

static void write_columns(const struct ordered *ordered, struct asnap_report_output *output)
{
    static const struct {
        char tag[5];
        bool of_sample;
        asnap_report_number *number;
    } columns[] = {
        {"cest", false, stack_distance}, {"cegr", false, group_field},  {"cebi", false, step_field},
        {"cepo", false, power_field},    {"ceco", false, block_count},  {"cesi", false, low_size},
        {"cesh", false, high_size},      {"cepl", true, low_parts},     {"ceph", true, high_parts},
        {"cevl", true, low_variance},    {"cevh", true, high_variance},
    };
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (!columns[i].of_sample || ordered->estimates != NULL)
            asnap_report_column(output, columns[i].tag, ordered->count, columns[i].number, ordered);
    }
}

struct asnap_error *asnap_report_cells_write(const struct asnap_report_cells *cells,
                                             struct asnap_report_output *output)
{
    struct ordered ordered;
    struct asnap_error *error = write_ranges(cells, output);
    if (error == NULL)
        error = order_cells(cells, &ordered);
    if (error != NULL)
        return error;
    asnap_report_section(output, "grou", 4, cells->groups,
                         cells->group_count * sizeof(*cells->groups) / 4);
    write_columns(&ordered, output);
    deinit(&ordered);
    return NULL;
}
