/* Which source line an address belongs to, within one unit. */
#ifndef ASNAP_SYMBOLS_DWARF_LINES_H
#define ASNAP_SYMBOLS_DWARF_LINES_H

#include "dwarf_access.h"
#include "range_index.h"

/* The line table of one unit, made findable. */
struct asnap_line_table {
    struct asnap_line_rows rows;
    struct asnap_range_index sequences; /* value: first row << 32 | row that ends it */
};

/* Reads the line table that the unit's first entry refers to. */
struct asnap_error *asnap_line_table_init(struct asnap_line_table *table, struct asnap_dwarf *dwarf,
                                          const struct asnap_entry *unit);

/* The row of an address: within its sequence, the last one that does not start
 * behind it (DWARF 5, section 6.2.2). NULL where there is none. */
const struct asnap_line_row *asnap_line_table_find(const struct asnap_line_table *table,
                                                   uint64_t address);

void asnap_line_table_deinit(struct asnap_line_table *table);

#endif
