/* What the debug information says of calls. */
#ifndef ASNAP_SYMBOLS_DWARF_CALLS_H
#define ASNAP_SYMBOLS_DWARF_CALLS_H

#include "dwarf_access.h"

/* What the entry of a call says of the block that it returns: the offset of the entry of the type
 * of the objects in it, which Clang notes for operator new (DW_AT_LLVM_alloc_type), and the address
 * that the call returns to. false: nothing, or not where the call is. */
bool asnap_entry_allocation(struct asnap_dwarf *dwarf, const struct asnap_entry *call,
                            uint64_t *return_address, uint64_t *type);

/* The offset of the entry that DW_AT_type of another leads to; false: none, or out of reach. */
bool asnap_entry_type(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, uint64_t *type);

/* Whether an entry has DW_AT_type, if only one that leads out of reach, as into a type unit. */
bool asnap_entry_has_type(struct asnap_dwarf *dwarf, const struct asnap_entry *entry);

#endif
