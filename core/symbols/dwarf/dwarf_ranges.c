#include "dwarf_ranges.h"

#include "dwarf_handle.h"
#include "list_tables.h"

/* Address 0 is where linkers leave the addresses of what they discard. */
static struct asnap_error *add_range(struct asnap_range_index *ranges, uint64_t start, uint64_t end,
                                     uint64_t value)
{
    return start == 0 ? NULL : asnap_range_index_add(ranges, start, end, value);
}

struct asnap_error *asnap_dwarf_aranges(struct asnap_dwarf *dwarf, struct asnap_range_index *ranges)
{
    Dwarf_Error reason = NULL;
    Dwarf_Arange *list = NULL;
    Dwarf_Signed count = 0;
    int result = dwarf_get_aranges(dwarf->dbg, &list, &count, &reason);
    if (result != DW_DLV_OK)
        return damage(dwarf, result, reason, ".debug_aranges");
    struct asnap_error *error = NULL;
    for (Dwarf_Signed i = 0; i < count; i++) {
        Dwarf_Unsigned segment, segment_size, length;
        Dwarf_Addr start;
        Dwarf_Off unit;
        result = dwarf_get_arange_info_b(list[i], &segment, &segment_size, &start, &length, &unit,
                                         &reason);
        uint64_t end;
        if (error == NULL && is_ok(dwarf, result, reason) &&
            !__builtin_add_overflow(start, length, &end))
            error = add_range(ranges, start, end, unit);
        dwarf_dealloc(dwarf->dbg, list[i], DW_DLA_ARANGE);
    }
    dwarf_dealloc(dwarf->dbg, list, DW_DLA_LIST);
    return error;
}

/* DWARF 5: section 2.17.3, through .debug_rnglists. */
static struct asnap_error *add_rnglist(struct asnap_dwarf *dwarf, Dwarf_Attribute attribute,
                                       Dwarf_Half form, Dwarf_Unsigned place, uint64_t value,
                                       struct asnap_range_index *ranges)
{
    Dwarf_Error reason = NULL;
    Dwarf_Rnglists_Head head = NULL;
    Dwarf_Unsigned count = 0;
    Dwarf_Unsigned offset = 0;
    int result =
        dwarf_rnglists_get_rle_head(attribute, form, place, &head, &count, &offset, &reason);
    if (result != DW_DLV_OK)
        return damage(dwarf, result, reason, ".debug_rnglists");
    struct asnap_error *error = NULL;
    for (Dwarf_Unsigned i = 0; i < count && error == NULL; i++) {
        unsigned length, kind;
        Dwarf_Unsigned raw1, raw2, start = 0, end = 0;
        Dwarf_Bool unavailable = false;
        result = dwarf_get_rnglists_entry_fields_a(head, i, &length, &kind, &raw1, &raw2,
                                                   &unavailable, &start, &end, &reason);
        if (result == DW_DLV_ERROR)
            error = damage(dwarf, result, reason, ".debug_rnglists");
        else if (result == DW_DLV_OK && !unavailable && kind != DW_RLE_end_of_list &&
                 kind != DW_RLE_base_address && kind != DW_RLE_base_addressx)
            error = add_range(ranges, start, end, value);
    }
    dwarf_dealloc_rnglists_head(head);
    return error;
}

/* DWARF 2 to 4: section 2.17.3 of DWARF 4, through .debug_ranges. */
static struct asnap_error *add_range_list(struct asnap_dwarf *dwarf,
                                          const struct asnap_entry *entry, Dwarf_Unsigned place,
                                          uint64_t base, uint64_t value,
                                          struct asnap_range_index *ranges)
{
    Dwarf_Error reason = NULL;
    Dwarf_Ranges *list = NULL;
    Dwarf_Signed count = 0;
    Dwarf_Unsigned bytes = 0;
    Dwarf_Off real = 0;
    int result =
        dwarf_get_ranges_b(dwarf->dbg, place, entry->handle, &real, &list, &count, &bytes, &reason);
    if (result != DW_DLV_OK)
        return damage(dwarf, result, reason, ".debug_ranges");
    struct asnap_error *error = NULL;
    for (Dwarf_Signed i = 0; i < count && error == NULL; i++) {
        if (list[i].dwr_type == DW_RANGES_ADDRESS_SELECTION)
            base = list[i].dwr_addr2;
        else if (list[i].dwr_type == DW_RANGES_ENTRY && list[i].dwr_addr1 < list[i].dwr_addr2)
            error = add_range(ranges, base + list[i].dwr_addr1, base + list[i].dwr_addr2, value);
    }
    compat_free_ranges(dwarf->dbg, list, count);
    return error;
}

/* The base address of a unit's range lists: its DW_AT_low_pc. */
static uint64_t base_of(struct asnap_dwarf *dwarf, const struct asnap_entry *entry)
{
    Dwarf_Error reason = NULL;
    Dwarf_Off offset = 0;
    Dwarf_Die unit = NULL;
    Dwarf_Addr base = 0;
    int result = dwarf_CU_dieoffset_given_die(entry->handle, &offset, &reason);
    if (result == DW_DLV_OK)
        result = dwarf_offdie_b(dwarf->dbg, offset, true, &unit, &reason);
    if (result == DW_DLV_OK)
        result = dwarf_lowpc(unit, &base, &reason);
    bool found = is_ok(dwarf, result, reason);
    if (unit != NULL)
        dwarf_dealloc(dwarf->dbg, unit, DW_DLA_DIE);
    return found ? base : 0;
}

static struct asnap_error *add_listed(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                      Dwarf_Attribute attribute, uint64_t value,
                                      struct asnap_range_index *ranges)
{
    Dwarf_Error reason = NULL;
    Dwarf_Half form = 0;
    Dwarf_Half version = 0;
    Dwarf_Half offset_size = 0;
    int result = dwarf_whatform(attribute, &form, &reason);
    if (result != DW_DLV_OK)
        return damage(dwarf, result, reason, "ranges");
    if (dwarf_get_version_of_die(entry->handle, &version, &offset_size) != DW_DLV_OK)
        return NULL;
    Dwarf_Unsigned place = 0;
    if (form == DW_FORM_sec_offset) {
        Dwarf_Off offset = 0;
        result = dwarf_global_formref(attribute, &offset, &reason);
        place = offset;
    } else {
        result = dwarf_formudata(attribute, &place, &reason);
    }
    if (result != DW_DLV_OK)
        return damage(dwarf, result, reason, "ranges");
    if (version >= 5 && form == DW_FORM_sec_offset &&
        !asnap_range_list_ends(&dwarf->range_lists, place))
        return damage(dwarf, DW_DLV_ERROR, NULL, ".debug_rnglists");
    if (version >= 5)
        return add_rnglist(dwarf, attribute, form, place, value, ranges);
    return add_range_list(dwarf, entry, place, base_of(dwarf, entry), value, ranges);
}

bool asnap_entry_address(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, uint16_t name,
                         const struct asnap_split_addresses *addresses, uint64_t *address)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, name);
    if (attribute == NULL)
        return false;
    Dwarf_Error reason = NULL;
    Dwarf_Unsigned index = 0;
    Dwarf_Addr plain = 0;
    bool found = is_ok(dwarf, dwarf_get_debug_addr_index(attribute, &index, &reason), reason);
    if (found) {
        found = asnap_split_address(addresses, index, address);
    } else {
        reason = NULL;
        found = is_ok(dwarf, dwarf_formaddr(attribute, &plain, &reason), reason);
        if (found)
            *address = plain;
    }
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    return found;
}

/* Adds the ranges of the list that DW_AT_ranges, which it frees, tells. */
static struct asnap_error *add_split_listed(struct asnap_dwarf *dwarf, Dwarf_Attribute attribute,
                                            uint64_t value, struct asnap_range_index *ranges)
{
    Dwarf_Error reason = NULL;
    Dwarf_Half form = 0;
    Dwarf_Unsigned number = 0;
    Dwarf_Off offset = 0;
    int result = dwarf_whatform(attribute, &form, &reason);
    bool is_number = form == DW_FORM_rnglistx;
    if (result == DW_DLV_OK && is_number)
        result = dwarf_formudata(attribute, &number, &reason);
    else if (result == DW_DLV_OK)
        result = dwarf_global_formref(attribute, &offset, &reason);
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    if (result != DW_DLV_OK)
        return damage(dwarf, DW_DLV_ERROR, reason, "ranges");
    struct asnap_error *error = asnap_split_ranges(&dwarf->addresses, is_number ? number : offset,
                                                   is_number, value, ranges);
    if (error == NULL || asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    asnap_error_destroy(error);
    return damage(dwarf, DW_DLV_ERROR, NULL, "ranges");
}

static struct asnap_error *add_split_ranges(struct asnap_dwarf *dwarf,
                                            const struct asnap_entry *entry, uint64_t value,
                                            struct asnap_range_index *ranges)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, DW_AT_ranges);
    if (attribute != NULL)
        return add_split_listed(dwarf, attribute, value, ranges);
    Dwarf_Error reason = NULL;
    Dwarf_Half form = 0;
    Dwarf_Addr high = 0;
    enum Dwarf_Form_Class class = DW_FORM_CLASS_UNKNOWN;
    uint64_t low;
    uint64_t end;
    if (!asnap_entry_address(dwarf, entry, DW_AT_low_pc, &dwarf->addresses, &low) || low == 0)
        return NULL;
    /* Section 2.17.2: a constant is the size. */
    if (is_ok(dwarf, dwarf_highpc_b(entry->handle, &high, &form, &class, &reason), reason) &&
        class == DW_FORM_CLASS_CONSTANT) {
        if (__builtin_add_overflow(low, high, &end))
            return NULL;
    } else if (!asnap_entry_address(dwarf, entry, DW_AT_high_pc, &dwarf->addresses, &end)) {
        return NULL;
    }
    return asnap_range_index_add(ranges, low, end, value);
}

static struct asnap_error *add_entry_ranges(struct asnap_dwarf *dwarf,
                                            const struct asnap_entry *entry, uint64_t value,
                                            struct asnap_range_index *ranges)
{
    if (dwarf->is_split)
        return add_split_ranges(dwarf, entry, value, ranges);
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, DW_AT_ranges);
    if (attribute != NULL) {
        struct asnap_error *error = add_listed(dwarf, entry, attribute, value, ranges);
        dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
        return error;
    }
    Dwarf_Error reason = NULL;
    Dwarf_Addr low = 0;
    Dwarf_Addr high = 0;
    Dwarf_Half form = 0;
    enum Dwarf_Form_Class class = DW_FORM_CLASS_UNKNOWN;
    if (!is_ok(dwarf, dwarf_lowpc(entry->handle, &low, &reason), reason))
        return NULL;
    reason = NULL;
    if (!is_ok(dwarf, dwarf_highpc_b(entry->handle, &high, &form, &class, &reason), reason))
        return NULL;
    /* Section 2.17.2: a constant is the size. */
    if (class == DW_FORM_CLASS_CONSTANT && __builtin_add_overflow(low, high, &high))
        return NULL;
    return add_range(ranges, low, high, value);
}

struct asnap_error *asnap_entry_ranges(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                       uint64_t value, struct asnap_range_index *ranges)
{
    size_t before = ranges->count;
    struct asnap_error *error = add_entry_ranges(dwarf, entry, value, ranges);
    return error != NULL ? error : asnap_dwarf_work(dwarf, ranges->count - before);
}
