/* The addresses of code that entries and units of debug information stand for. */
#ifndef ASNAP_SYMBOLS_DWARF_RANGES_H
#define ASNAP_SYMBOLS_DWARF_RANGES_H

#include "dwarf_access.h"
#include "range_index.h"
#include "split_addresses.h"

/* Adds the address ranges of .debug_aranges (section 6.1.2) to `ranges`, each with
 * the offset of its unit's first entry as its value. */
struct asnap_error *asnap_dwarf_aranges(struct asnap_dwarf *dwarf,
                                        struct asnap_range_index *ranges);

/* Adds the addresses of the entry's code (section 2.17) to `ranges`, each with
 * `value`. Ranges at address 0, where linkers leave what they discard, are left
 * out. */
struct asnap_error *asnap_entry_ranges(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                       uint64_t value, struct asnap_range_index *ranges);

/* Reads the address that an attribute (DW_AT_...) of an entry gives: itself, or as its number
 * among `addresses`. false: there is none. */
bool asnap_entry_address(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, uint16_t name,
                         const struct asnap_split_addresses *addresses, uint64_t *address);

#endif
