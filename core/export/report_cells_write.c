/* The cells of a report as sections. */
#include <stdlib.h>

#include "age_steps.h"
#include "report_cells.h"

/* How far each cell's stack is from that of the one before. */
static uint32_t stack_distance(const void *context, size_t index)
{
    const struct asnap_report_cell *cells = context;
    return index == 0 ? cells[index].stack : cells[index].stack - cells[index - 1].stack;
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

/* A field of 64 bits in two columns. */
#define WRITE_WIDE(OUTPUT, LOW, HIGH, STRUCTURES, COUNT, FIELD)                                    \
    do {                                                                                           \
        size_t offset = offsetof(typeof(*(STRUCTURES)), FIELD);                                    \
        size_t size = sizeof(*(STRUCTURES));                                                       \
        asnap_report_field(OUTPUT, LOW, STRUCTURES, COUNT, size, offset);                          \
        asnap_report_field(OUTPUT, HIGH, STRUCTURES, COUNT, size, offset + 4);                     \
    } while (0)

static void write_columns(const struct asnap_report_cells *cells,
                          struct asnap_report_output *output)
{
    static const struct {
        char tag[5];
        struct asnap_report_bits bits;
    } kinds[] = {{"cegr", {15, UINT32_MAX}}, {"cebi", {7, 0xff}}, {"cepo", {0, 0x7f}}};
    size_t count = cells->cell_count;
    asnap_report_column(output, "cest", count, stack_distance, cells->cells);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        asnap_report_bits(output, kinds[i].tag, cells->cells, count, sizeof(*cells->cells),
                          offsetof(struct asnap_report_cell, kind), kinds[i].bits);
    ASNAP_REPORT_FIELD(output, "ceco", cells->cells, count, count);
    WRITE_WIDE(output, "cesi", "cesh", cells->cells, count, size);
    if (cells->estimates == NULL)
        return;
    WRITE_WIDE(output, "cepl", "ceph", cells->estimates, count, parts);
    WRITE_WIDE(output, "cevl", "cevh", cells->estimates, count, variance);
}

struct asnap_error *asnap_report_cells_write(const struct asnap_report_cells *cells,
                                             struct asnap_report_output *output)
{
    struct asnap_error *error = write_ranges(cells, output);
    if (error != NULL)
        return error;
    asnap_report_section(output, "grou", 4, cells->groups,
                         cells->group_count * sizeof(*cells->groups) / 4);
    asnap_report_columns_begin(output);
    write_columns(cells, output);
    asnap_report_columns_end(output);
    return NULL;
}
