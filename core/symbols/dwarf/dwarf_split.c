#include "dwarf_split.h"

#include <string.h>

#include "dwarf_handle.h"

/* The section of a package that range lists are in, in its index (DWARF 5, section 7.3.5.3). */
#define PACKAGE_RANGE_LISTS 8

/* The version of an entry's unit, and its id (0: none). */
static bool read_unit(struct asnap_dwarf *dwarf, const struct asnap_entry *unit, unsigned *version,
                      uint64_t *id)
{
    Dwarf_Error reason = NULL;
    Dwarf_Half found_version = 0, offset_size, address_size, extension_size;
    Dwarf_Bool is_info, is_split;
    Dwarf_Sig8 *signature = NULL;
    Dwarf_Off offset;
    Dwarf_Unsigned length;
    int result = dwarf_cu_header_basics(unit->handle, &found_version, &is_info, &is_split,
                                        &offset_size, &address_size, &extension_size, &signature,
                                        &offset, &length, &reason);
    if (!is_ok(dwarf, result, reason))
        return false;
    *version = found_version;
    *id = 0;
    if (signature != NULL)
        memcpy(id, signature->signature, sizeof(*id));
    return true;
}

static const char *text_of(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                           Dwarf_Half name)
{
    Dwarf_Error reason = NULL;
    char *text = NULL;
    return is_ok(dwarf, dwarf_die_text(unit->handle, name, &text, &reason), reason) ? text : NULL;
}

/* An offset that an attribute gives; 0 where there is no such attribute. */
static uint64_t offset_of(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                          Dwarf_Half name)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, unit, name);
    if (attribute == NULL)
        return 0;
    Dwarf_Error reason = NULL;
    Dwarf_Off offset = 0;
    bool found = is_ok(dwarf, dwarf_global_formref(attribute, &offset, &reason), reason);
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    return found ? offset : 0;
}

/* GNU's id is an attribute, from which not every version of libdwarf takes it. */
static uint64_t gnu_id(struct asnap_dwarf *dwarf, const struct asnap_entry *unit)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, unit, DW_AT_GNU_dwo_id);
    if (attribute == NULL)
        return 0;
    Dwarf_Error reason = NULL;
    Dwarf_Sig8 bytes = {0};
    Dwarf_Unsigned number = 0;
    uint64_t id = 0;
    if (is_ok(dwarf, dwarf_formsig8_const(attribute, &bytes, &reason), reason)) {
        memcpy(&id, bytes.signature, sizeof(id));
    } else {
        reason = NULL;
        if (is_ok(dwarf, dwarf_formudata(attribute, &number, &reason), reason))
            id = number;
    }
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    return id;
}

static uint64_t id_of(struct asnap_dwarf *dwarf, const struct asnap_entry *unit)
{
    unsigned version = 0;
    uint64_t id = 0;
    if (!read_unit(dwarf, unit, &version, &id))
        return 0;
    return version >= 5 ? id : gnu_id(dwarf, unit);
}

void asnap_entry_skeleton(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                          struct asnap_skeleton *skeleton)
{
    *skeleton = (struct asnap_skeleton){.name = text_of(dwarf, unit, DW_AT_dwo_name)};
    if (skeleton->name == NULL)
        skeleton->name = text_of(dwarf, unit, DW_AT_GNU_dwo_name);
    if (skeleton->name == NULL)
        return;
    skeleton->directory = text_of(dwarf, unit, DW_AT_comp_dir);
    skeleton->id = id_of(dwarf, unit);
}

struct asnap_error *asnap_split_units(struct asnap_dwarf *split, struct asnap_range_index *units)
{
    uint64_t offset = 0;
    for (;;) {
        uint64_t before = offset;
        struct asnap_error *error = asnap_dwarf_next_unit(split, &offset);
        if (error != NULL)
            return error;
        if (offset <= before)
            break;
        struct asnap_entry entry;
        error = asnap_entry_at(split, offset, &entry);
        if (error != NULL)
            return error;
        uint64_t id = id_of(split, &entry);
        asnap_entry_release(split, &entry);
        error = asnap_range_index_add(units, id, id + 1, offset);
        if (error != NULL)
            return error;
    }
    asnap_range_index_sort(units);
    return NULL;
}

/* Where the table of range lists of the unit at `entry` starts in a package. */
static uint64_t package_range_lists(struct asnap_dwarf *split, const struct asnap_entry *entry)
{
    Dwarf_Error reason = NULL;
    Dwarf_Debug_Fission_Per_CU places;
    memset(&places, 0, sizeof(places));
    int result = dwarf_get_debugfission_for_die(entry->handle, &places, &reason);
    return is_ok(split, result, reason) ? places.pcu_offset[PACKAGE_RANGE_LISTS] : 0;
}

/* Reads an address: itself, or its number. false: there is none. */
static bool address_of(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, Dwarf_Half name,
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

struct asnap_error *asnap_split_enter(struct asnap_dwarf *split, const struct asnap_entry *entry,
                                      struct asnap_dwarf *program, const struct asnap_entry *unit)
{
    struct asnap_split_addresses *addresses = &split->addresses;
    *addresses = (struct asnap_split_addresses){0};
    uint64_t id;
    if (!read_unit(split, entry, &addresses->version, &id))
        return damage(split, DW_DLV_ERROR, NULL, "unit headers");
    asnap_elf_debug_contents(program->elf, ".debug_addr", &addresses->addresses);
    addresses->addresses_start = offset_of(program, unit, DW_AT_addr_base);
    if (addresses->addresses_start == 0)
        addresses->addresses_start = offset_of(program, unit, DW_AT_GNU_addr_base);
    if (addresses->version >= 5) {
        asnap_elf_debug_contents(split->elf, ".debug_rnglists.dwo", &addresses->ranges);
        addresses->ranges_start = package_range_lists(split, entry);
    } else {
        asnap_elf_debug_contents(program->elf, ".debug_ranges", &addresses->ranges);
        addresses->ranges_start = offset_of(program, unit, DW_AT_GNU_ranges_base);
    }
    if (!address_of(program, unit, DW_AT_low_pc, addresses, &addresses->base))
        addresses->base = 0;
    split->is_split = true;
    return NULL;
}

/* Adds the ranges of the list that DW_AT_ranges, which it frees, tells. */
static struct asnap_error *add_listed(struct asnap_dwarf *dwarf, Dwarf_Attribute attribute,
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

struct asnap_error *asnap_split_entry_ranges(struct asnap_dwarf *dwarf,
                                             const struct asnap_entry *entry, uint64_t value,
                                             struct asnap_range_index *ranges)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, DW_AT_ranges);
    if (attribute != NULL)
        return add_listed(dwarf, attribute, value, ranges);
    Dwarf_Error reason = NULL;
    Dwarf_Half form = 0;
    Dwarf_Addr high = 0;
    enum Dwarf_Form_Class class = DW_FORM_CLASS_UNKNOWN;
    uint64_t low;
    uint64_t end;
    if (!address_of(dwarf, entry, DW_AT_low_pc, &dwarf->addresses, &low) || low == 0)
        return NULL;
    /* Section 2.17.2: a constant is the size. */
    if (is_ok(dwarf, dwarf_highpc_b(entry->handle, &high, &form, &class, &reason), reason) &&
        class == DW_FORM_CLASS_CONSTANT) {
        if (__builtin_add_overflow(low, high, &end))
            return NULL;
    } else if (!address_of(dwarf, entry, DW_AT_high_pc, &dwarf->addresses, &end)) {
        return NULL;
    }
    return asnap_range_index_add(ranges, low, end, value);
}
