#include "dwarf_split.h"

#include <string.h>

#include "dwarf_handle.h"
#include "dwarf_ranges.h"

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
    return asnap_range_index_sort(units);
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
    if (!asnap_entry_address(program, unit, DW_AT_low_pc, addresses, &addresses->base))
        addresses->base = 0;
    split->is_split = true;
    return NULL;
}
