/* Which compilation unit of a file holds an address. */
#ifndef ASNAP_SYMBOLS_DWARF_UNITS_H
#define ASNAP_SYMBOLS_DWARF_UNITS_H

#include "dwarf_access.h"
#include "range_index.h"

struct asnap_unit_table {
    uint64_t *units; /* offsets of the units' first entries, rising */
    size_t count;
    size_t capacity;
    struct asnap_range_index listed;  /* from .debug_aranges; value: that offset */
    struct asnap_range_index scanned; /* from the entries; value: that offset */
    bool has_scanned;
};

/* Lists the units of `dwarf` and reads .debug_aranges. What is damaged is left
 * out and told by `problem`, which is untouched where nothing is or where it is
 * set already. */
struct asnap_error *asnap_unit_table_init(struct asnap_unit_table *table, struct asnap_dwarf *dwarf,
                                          struct asnap_error **problem);

/* The offset of the first entry of the unit that holds `address`; 0: none does.
 * Where .debug_aranges does not know, reads the ranges of all units, once. */
struct asnap_error *asnap_unit_table_find(struct asnap_unit_table *table, struct asnap_dwarf *dwarf,
                                          uint64_t address, uint64_t *unit,
                                          struct asnap_error **problem);

void asnap_unit_table_deinit(struct asnap_unit_table *table);

#endif
