/* The addresses of split debug information: its entries have numbers for them, which the
 * program's own sections resolve (DWARF 5, sections 7.3.2 and 7.27; before, the GNU
 * extension "DebugFission"). */
#ifndef ASNAP_SYMBOLS_SPLIT_ADDRESSES_H
#define ASNAP_SYMBOLS_SPLIT_ADDRESSES_H

#include "elf_file.h"
#include "range_index.h"

/* Those of one unit. */
struct asnap_split_addresses {
    struct asnap_contents addresses; /* .debug_addr of the program */
    uint64_t addresses_start;        /* DW_AT_addr_base */
    /* From DWARF 5 on the .debug_rnglists of the split file, and where the unit's table
     * starts in it; before, the .debug_ranges of the program, and DW_AT_GNU_ranges_base. */
    struct asnap_contents ranges;
    uint64_t ranges_start;
    uint64_t base; /* DW_AT_low_pc of the unit */
    unsigned version;
};

/* Address number `index`. false: there is none. */
bool asnap_split_address(const struct asnap_split_addresses *addresses, uint64_t index,
                         uint64_t *address);

/* Adds the ranges of a list to `ranges`, each with `value`. `place` is the number of the list
 * where `is_number`, else its offset. DAMAGED where the list is not whole. */
struct asnap_error *asnap_split_ranges(const struct asnap_split_addresses *addresses,
                                       uint64_t place, bool is_number, uint64_t value,
                                       struct asnap_range_index *ranges);

#endif
