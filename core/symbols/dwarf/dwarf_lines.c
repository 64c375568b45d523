#include "dwarf_lines.h"

#include <stdlib.h>

#include "error.h"

/* Adds the sequence that starts with row `first` and that row `last` ends. Within
 * a sequence addresses only rise (DWARF 5, section 6.2.5); another one is left
 * out, and so are discarded ones, which linkers leave at address 0. */
static struct asnap_error *add_sequence(struct asnap_line_table *table, size_t first, size_t last)
{
    const struct asnap_line_row *rows = table->rows.program.rows;
    for (size_t i = first + 1; i <= last; i++) {
        if (rows[i].address < rows[i - 1].address)
            return NULL;
    }
    if (rows[first].address == 0 || last > UINT32_MAX)
        return NULL;
    return asnap_range_index_add(&table->sequences, rows[first].address, rows[last].address,
                                 (uint64_t)first << 32 | last);
}

struct asnap_error *asnap_line_table_init(struct asnap_line_table *table, struct asnap_dwarf *dwarf,
                                          const struct asnap_entry *unit)
{
    struct asnap_line_table made = {0};
    struct asnap_error *error = asnap_line_rows_read(dwarf, unit, &made.rows);
    size_t first = 0;
    for (size_t i = 0; error == NULL && i < made.rows.program.row_count; i++) {
        if (!made.rows.program.rows[i].ends)
            continue;
        error = add_sequence(&made, first, i);
        first = i + 1;
    }
    if (error == NULL)
        error = asnap_range_index_sort(&made.sequences);
    if (error != NULL) {
        asnap_line_table_deinit(&made);
        return error;
    }
    *table = made;
    return NULL;
}

const struct asnap_line_row *asnap_line_table_find(const struct asnap_line_table *table,
                                                   uint64_t address)
{
    const struct asnap_range *sequence = asnap_range_index_find(&table->sequences, address);
    if (sequence == NULL)
        return NULL;
    const struct asnap_line_row *rows = table->rows.program.rows;
    size_t low = (size_t)(sequence->value >> 32);
    size_t high = (size_t)(sequence->value & UINT32_MAX);
    /* Row `low` starts at or before the address, row `high` behind it. */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].address <= address)
            low = middle;
        else
            high = middle;
    }
    return &rows[low];
}

void asnap_line_table_deinit(struct asnap_line_table *table)
{
    asnap_range_index_deinit(&table->sequences);
    asnap_line_program_deinit(&table->rows.program);
}
