#include "dwarf_calls.h"

#include "dwarf_handle.h"
#include "dwarf_ranges.h"

/* One of LLVM's extensions (its BinaryFormat/Dwarf.def), which libdwarf has no name for. */
#define LLVM_ALLOC_TYPE 0x3e0e

static bool address_of(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, uint16_t name,
                       uint64_t *address)
{
    if (dwarf->is_split)
        return asnap_entry_address(dwarf, entry, name, &dwarf->addresses, address);
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, name);
    if (attribute == NULL)
        return false;
    Dwarf_Error reason = NULL;
    Dwarf_Addr found = 0;
    bool is_known = is_ok(dwarf, dwarf_formaddr(attribute, &found, &reason), reason);
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    *address = found;
    return is_known;
}

bool asnap_entry_allocation(struct asnap_dwarf *dwarf, const struct asnap_entry *call,
                            uint64_t *return_address, uint64_t *type)
{
    if (!asnap_entry_reference(dwarf, call, LLVM_ALLOC_TYPE, type))
        return false;
    /* Before DWARF 5 the extension of GNU has it as DW_AT_low_pc. */
    return address_of(dwarf, call, DW_AT_call_return_pc, return_address) ||
           address_of(dwarf, call, DW_AT_low_pc, return_address);
}

bool asnap_entry_type(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, uint64_t *type)
{
    return asnap_entry_reference(dwarf, entry, DW_AT_type, type);
}

bool asnap_entry_has_type(struct asnap_dwarf *dwarf, const struct asnap_entry *entry)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, DW_AT_type);
    if (attribute != NULL)
        dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    return attribute != NULL;
}
