#include "dwarf_units.h"

#include <stdlib.h>

#include "dwarf_ranges.h"
#include "error.h"
#include "problem.h"

static struct asnap_error *add_unit(struct asnap_unit_table *table, uint64_t unit)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        uint64_t *units = reallocarray(table->units, capacity, sizeof(*units));
        if (units == NULL)
            return asnap_error_no_memory();
        table->units = units;
        table->capacity = capacity;
    }
    table->units[table->count++] = unit;
    return NULL;
}

static bool is_unit(const struct asnap_unit_table *table, uint64_t offset)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->units[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->units[low] == offset;
}

struct asnap_error *asnap_unit_table_init(struct asnap_unit_table *table, struct asnap_dwarf *dwarf,
                                          struct asnap_error **problem)
{
    struct asnap_unit_table made = {0};
    struct asnap_error *error;
    uint64_t unit = 0;
    while ((error = asnap_dwarf_next_unit(dwarf, &unit)) == NULL && unit != 0) {
        if (made.count > 0 && unit <= made.units[made.count - 1])
            break;
        error = add_unit(&made, unit);
        if (error != NULL)
            break;
    }
    error = asnap_problem_keep(error, problem);
    if (error == NULL)
        error = asnap_problem_keep(asnap_dwarf_aranges(dwarf, &made.listed), problem);
    if (error == NULL)
        error = asnap_range_index_sort(&made.listed);
    if (error != NULL) {
        asnap_unit_table_deinit(&made);
        return error;
    }
    *table = made;
    return NULL;
}

/* Reads the ranges of all units from their first entries. */
static struct asnap_error *scan(struct asnap_unit_table *table, struct asnap_dwarf *dwarf,
                                struct asnap_error **problem)
{
    table->has_scanned = true;
    for (size_t i = 0; i < table->count; i++) {
        struct asnap_entry entry;
        struct asnap_error *error = asnap_entry_at(dwarf, table->units[i], &entry);
        if (error == NULL) {
            if (entry.kind == ASNAP_ENTRY_UNIT)
                error = asnap_entry_ranges(dwarf, &entry, table->units[i], &table->scanned);
            asnap_entry_release(dwarf, &entry);
        }
        error = asnap_problem_keep(error, problem);
        if (error != NULL)
            return error;
    }
    return asnap_range_index_sort(&table->scanned);
}

struct asnap_error *asnap_unit_table_find(struct asnap_unit_table *table, struct asnap_dwarf *dwarf,
                                          uint64_t address, uint64_t *unit,
                                          struct asnap_error **problem)
{
    const struct asnap_range *range = asnap_range_index_find(&table->listed, address);
    if (range != NULL && is_unit(table, range->value)) {
        *unit = range->value;
        return NULL;
    }
    if (!table->has_scanned) {
        struct asnap_error *error = scan(table, dwarf, problem);
        if (error != NULL)
            return error;
    }
    range = asnap_range_index_find(&table->scanned, address);
    *unit = range == NULL ? 0 : range->value;
    return NULL;
}

void asnap_unit_table_deinit(struct asnap_unit_table *table)
{
    free(table->units);
    asnap_range_index_deinit(&table->listed);
    asnap_range_index_deinit(&table->scanned);
}
