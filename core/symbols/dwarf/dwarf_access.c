#include "dwarf_access.h"

#include <stdlib.h>
#include <string.h>

#include "bounded_demangle.h"
#include "byte_cursor.h"
#include "debug_sections.h"
#include "dwarf_handle.h"
#include "entry_kinds.h"
#include "list_tables.h"

/* Steps of work, about a nanosecond each: for any file, for each of its bytes, and for each address
 * that is looked for. Real files take a few for each byte. */
#define WORK_ALWAYS (UINT64_C(1) << 24)
#define WORK_FOR_BYTE 256
#define WORK_FOR_ADDRESS 4096

/* What libdwarf makes of an entry takes longer. */
#define WORK_OF_ENTRY 64

struct asnap_error *asnap_dwarf_work(struct asnap_dwarf *dwarf, uint64_t steps)
{
    if (steps > dwarf->work) {
        dwarf->work = 0;
        return damage(dwarf, DW_DLV_ERROR, NULL, "out of proportion to its size");
    }
    dwarf->work -= steps;
    return NULL;
}

void asnap_dwarf_allow(struct asnap_dwarf *dwarf, size_t addresses)
{
    dwarf->work += WORK_FOR_ADDRESS * (uint64_t)addresses;
}

size_t asnap_dwarf_frames_allowed(const struct asnap_dwarf *dwarf, size_t most)
{
    size_t allowed = ASNAP_FRAMES_OF_EACH + dwarf->spare_frames;
    return allowed < most ? allowed : most;
}

void asnap_dwarf_frames_made(struct asnap_dwarf *dwarf, size_t count)
{
    if (count > ASNAP_FRAMES_OF_EACH)
        dwarf->spare_frames -= count - ASNAP_FRAMES_OF_EACH;
}

static struct asnap_error *open_one(struct asnap_dwarf *dwarf)
{
    const char *unsound = asnap_debug_sections_unsound(dwarf->elf);
    if (unsound == NULL)
        unsound = asnap_list_tables_unsound(dwarf->elf);
    if (unsound != NULL)
        return damage(dwarf, DW_DLV_ERROR, NULL, unsound);
    Dwarf_Error reason = NULL;
    int result = compat_init(dwarf->elf->fd, &dwarf->dbg, &reason);
    if (result != DW_DLV_OK)
        dwarf->dbg = NULL;
    return damage(dwarf, result, reason, "sections");
}

/* Opens the supplementary file and ties it to `dwarf`, for strings in it. */
static struct asnap_error *open_supplement(struct asnap_dwarf *dwarf,
                                           const struct asnap_elf *supplement)
{
    struct asnap_error *error = asnap_dwarf_open(supplement, NULL, &dwarf->supplement);
    if (error != NULL || dwarf->supplement == NULL)
        return error;
    Dwarf_Error reason = NULL;
    int result = dwarf_set_tied_dbg(dwarf->dbg, dwarf->supplement->dbg, &reason);
    return damage(dwarf, result, reason, "supplementary file");
}

struct asnap_error *asnap_dwarf_open(const struct asnap_elf *elf,
                                     const struct asnap_elf *supplement, struct asnap_dwarf **dwarf)
{
    struct asnap_dwarf *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->elf = elf;
    made->work = WORK_ALWAYS + WORK_FOR_BYTE * elf->file_bytes;
    if (supplement != NULL)
        made->work += WORK_FOR_BYTE * supplement->file_bytes;
    made->spare_frames = ASNAP_FRAMES_SPARE;
    struct asnap_error *error = open_one(made);
    if (error == NULL && made->dbg != NULL && supplement != NULL)
        error = open_supplement(made, supplement);
    if (error != NULL || made->dbg == NULL) {
        asnap_dwarf_close(made);
        if (error == NULL)
            *dwarf = NULL;
        return error;
    }
    asnap_elf_debug_contents(elf, ".debug_line", &made->line_sections.lines);
    asnap_elf_debug_contents(elf, ".debug_line_str", &made->line_sections.line_strings);
    asnap_elf_debug_contents(elf, ".debug_rnglists", &made->range_lists);
    *dwarf = made;
    return NULL;
}

void asnap_dwarf_close(struct asnap_dwarf *dwarf)
{
    if (dwarf == NULL)
        return;
    if (dwarf->dbg != NULL)
        compat_finish(dwarf->dbg);
    asnap_dwarf_close(dwarf->supplement);
    free(dwarf);
}

struct asnap_dwarf *asnap_dwarf_supplement(struct asnap_dwarf *dwarf)
{
    return dwarf->supplement;
}

const char *asnap_dwarf_path(const struct asnap_dwarf *dwarf)
{
    return dwarf->elf->path;
}

/* ---- units ---- */

/* One step through the unit headers; `found` is whether it is a compilation unit. */
static int next_header(struct asnap_dwarf *dwarf, bool *found, Dwarf_Error *reason)
{
    Dwarf_Unsigned length, type_offset, next;
    Dwarf_Half version, address_size, length_size, extension_size, type;
    Dwarf_Off abbreviations;
    Dwarf_Sig8 signature;
    int result = dwarf_next_cu_header_d(dwarf->dbg, true, &length, &version, &abbreviations,
                                        &address_size, &length_size, &extension_size, &signature,
                                        &type_offset, &next, &type, reason);
    *found = result == DW_DLV_OK &&
             (type == DW_UT_compile || type == DW_UT_skeleton || type == DW_UT_split_compile);
    return result;
}

struct asnap_error *asnap_dwarf_next_unit(struct asnap_dwarf *dwarf, uint64_t *entry_offset)
{
    for (;;) {
        Dwarf_Error reason = NULL;
        bool found;
        int result = next_header(dwarf, &found, &reason);
        if (result != DW_DLV_OK) {
            struct asnap_error *error = damage(dwarf, result, reason, "unit headers");
            if (error == NULL)
                *entry_offset = 0;
            return error;
        }
        if (!found)
            continue;
        Dwarf_Die entry = NULL;
        Dwarf_Off offset = 0;
        result = dwarf_siblingof_b(dwarf->dbg, NULL, true, &entry, &reason);
        if (result == DW_DLV_OK) {
            result = dwarf_dieoffset(entry, &offset, &reason);
            dwarf_dealloc(dwarf->dbg, entry, DW_DLA_DIE);
        }
        if (is_ok(dwarf, result, reason) && offset != 0) {
            *entry_offset = offset;
            return NULL;
        }
    }
}

/* ---- entries ---- */

/* Takes over what a call found; an entry before `behind` is damage. */
static struct asnap_error *take_entry(struct asnap_dwarf *dwarf, int result, Dwarf_Error reason,
                                      Dwarf_Die handle, uint64_t behind, struct asnap_entry *entry)
{
    if (result == DW_DLV_ERROR)
        return damage(dwarf, result, reason, "entries");
    if (result != DW_DLV_OK) {
        *entry = (struct asnap_entry){0};
        return NULL;
    }
    Dwarf_Off offset = 0;
    Dwarf_Half tag = 0;
    result = dwarf_dieoffset(handle, &offset, &reason);
    if (result == DW_DLV_OK)
        result = dwarf_tag(handle, &tag, &reason);
    struct asnap_error *error = asnap_dwarf_work(dwarf, WORK_OF_ENTRY);
    if (error == NULL && result != DW_DLV_OK)
        error = damage(dwarf, DW_DLV_ERROR, reason, "entries");
    else if (error == NULL && offset < behind)
        error = damage(dwarf, DW_DLV_ERROR, NULL, "entries in a circle");
    if (error != NULL) {
        dwarf_dealloc(dwarf->dbg, handle, DW_DLA_DIE);
        return error;
    }
    *entry =
        (struct asnap_entry){.handle = handle, .offset = offset, .kind = asnap_entry_kind_of(tag)};
    return NULL;
}

struct asnap_error *asnap_entry_at(struct asnap_dwarf *dwarf, uint64_t offset,
                                   struct asnap_entry *entry)
{
    if ((offset & ASNAP_ENTRY_SUPPLEMENT) != 0) {
        struct asnap_error *error =
            asnap_entry_at(dwarf->supplement, offset & ~ASNAP_ENTRY_SUPPLEMENT, entry);
        if (error == NULL)
            entry->offset = offset;
        return error;
    }
    Dwarf_Error reason = NULL;
    Dwarf_Die handle = NULL;
    int result = dwarf_offdie_b(dwarf->dbg, offset, true, &handle, &reason);
    if (result == DW_DLV_NO_ENTRY)
        result = DW_DLV_ERROR;
    return take_entry(dwarf, result, reason, handle, offset, entry);
}

struct asnap_error *asnap_entry_child(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                      struct asnap_entry *child)
{
    Dwarf_Error reason = NULL;
    Dwarf_Die handle = NULL;
    int result = dwarf_child(entry->handle, &handle, &reason);
    return take_entry(dwarf, result, reason, handle, entry->offset + 1, child);
}

struct asnap_error *asnap_entry_sibling(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                        struct asnap_entry *sibling)
{
    Dwarf_Error reason = NULL;
    Dwarf_Die handle = NULL;
    int result = dwarf_siblingof_b(dwarf->dbg, entry->handle, true, &handle, &reason);
    return take_entry(dwarf, result, reason, handle, entry->offset + 1, sibling);
}

void asnap_entry_release(struct asnap_dwarf *dwarf, struct asnap_entry *entry)
{
    if ((entry->offset & ASNAP_ENTRY_SUPPLEMENT) != 0)
        dwarf = dwarf->supplement;
    if (entry->handle != NULL)
        dwarf_dealloc(dwarf->dbg, entry->handle, DW_DLA_DIE);
    entry->handle = NULL;
}

static bool number_of(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, Dwarf_Half name,
                      uint64_t *number)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, name);
    if (attribute == NULL)
        return false;
    Dwarf_Error reason = NULL;
    Dwarf_Unsigned plain = 0;
    Dwarf_Signed with_sign = 0;
    bool found = is_ok(dwarf, dwarf_formudata(attribute, &plain, &reason), reason);
    if (!found) {
        reason = NULL;
        found = is_ok(dwarf, dwarf_formsdata(attribute, &with_sign, &reason), reason);
        plain = with_sign < 0 ? 0 : (Dwarf_Unsigned)with_sign;
    }
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    if (found)
        *number = plain;
    return found;
}

/* libdwarf's stand-in for a string of a supplementary file (section 7.3.6) that is
 * missing. */
static bool is_stand_in(const char *text)
{
    static const char start[] = "<DW_FORM_";
    return strncmp(text, start, sizeof(start) - 1) == 0;
}

static const char *text_of(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                           Dwarf_Half name)
{
    Dwarf_Error reason = NULL;
    char *text = NULL;
    int result = dwarf_die_text(entry->handle, name, &text, &reason);
    bool is_name = is_ok(dwarf, result, reason) && !is_stand_in(text) &&
                   strnlen(text, ASNAP_NAME_BYTES_MAX) < ASNAP_NAME_BYTES_MAX;
    return is_name ? text : NULL;
}

/* Reads a DW_FORM_ref_sup4 or _sup8, which libdwarf knows and does not read. */
static int supplement_reference(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                Dwarf_Attribute attribute, Dwarf_Half form, Dwarf_Off *found,
                                Dwarf_Error *reason)
{
    Dwarf_Off place = 0;
    struct asnap_contents entries;
    int result = dwarf_attr_offset(entry->handle, attribute, &place, reason);
    if (result != DW_DLV_OK)
        return result;
    asnap_elf_debug_contents(dwarf->elf, ".debug_info", &entries);
    if (entries.bytes == NULL || place > entries.size)
        return DW_DLV_NO_ENTRY;
    struct asnap_cursor cursor = {.at = entries.bytes + place,
                                  .end = entries.bytes + entries.size,
                                  .big_endian = entries.big_endian};
    *found = asnap_cursor_take(&cursor, form == DW_FORM_ref_sup4 ? 4 : 8);
    return cursor.is_bad ? DW_DLV_NO_ENTRY : DW_DLV_OK;
}

/* Reads what a reference leads to; false where that is out of reach. */
static bool reference_of(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                         Dwarf_Attribute attribute, uint64_t *offset)
{
    Dwarf_Error reason = NULL;
    Dwarf_Half form = 0;
    Dwarf_Off found = 0;
    int result = dwarf_whatform(attribute, &form, &reason);
    if (result == DW_DLV_OK && (form == DW_FORM_ref_sup4 || form == DW_FORM_ref_sup8))
        result = supplement_reference(dwarf, entry, attribute, form, &found, &reason);
    else if (result == DW_DLV_OK)
        result = dwarf_global_formref(attribute, &found, &reason);
    if (!is_ok(dwarf, result, reason) || form == DW_FORM_ref_sig8 ||
        (found & ASNAP_ENTRY_SUPPLEMENT) != 0)
        return false;
    *offset = found;
    if (form != DW_FORM_GNU_ref_alt && form != DW_FORM_ref_sup4 && form != DW_FORM_ref_sup8)
        return true;
    *offset |= ASNAP_ENTRY_SUPPLEMENT;
    return dwarf->supplement != NULL;
}

void asnap_entry_name(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                      struct asnap_entry_name *name)
{
    bool in_supplement = (entry->offset & ASNAP_ENTRY_SUPPLEMENT) != 0;
    if (in_supplement)
        dwarf = dwarf->supplement;
    *name = (struct asnap_entry_name){0};
    name->linkage_name = text_of(dwarf, entry, DW_AT_linkage_name);
    if (name->linkage_name == NULL)
        name->linkage_name = text_of(dwarf, entry, DW_AT_MIPS_linkage_name);
    name->name = text_of(dwarf, entry, DW_AT_name);
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, DW_AT_abstract_origin);
    if (attribute == NULL)
        attribute = attribute_of(dwarf, entry, DW_AT_specification);
    if (attribute == NULL)
        return;
    name->refers = reference_of(dwarf, entry, attribute, &name->origin);
    if (in_supplement)
        name->origin |= ASNAP_ENTRY_SUPPLEMENT;
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
}

bool asnap_entry_reference(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                           uint16_t name, uint64_t *offset)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, entry, name);
    if (attribute == NULL)
        return false;
    bool found = reference_of(dwarf, entry, attribute, offset);
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    return found;
}

static bool has_attribute(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                          Dwarf_Half name)
{
    Dwarf_Bool has = false;
    Dwarf_Error reason = NULL;
    return is_ok(dwarf, dwarf_hasattr(entry->handle, name, &has, &reason), reason) && has;
}

void asnap_entry_declaration(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                             struct asnap_declaration *declaration)
{
    uint64_t number = 0;
    Dwarf_Half tag = 0;
    Dwarf_Error reason = NULL;
    *declaration = (struct asnap_declaration){0};
    if (number_of(dwarf, entry, DW_AT_decl_line, &number) && number <= UINT32_MAX)
        declaration->line = (uint32_t)number;
    declaration->is_artificial = has_attribute(dwarf, entry, DW_AT_artificial);
    declaration->is_external = has_attribute(dwarf, entry, DW_AT_external);
    declaration->is_of_lvalue = has_attribute(dwarf, entry, DW_AT_reference);
    declaration->is_of_rvalue = has_attribute(dwarf, entry, DW_AT_rvalue_reference);
    if (is_ok(dwarf, dwarf_tag(entry->handle, &tag, &reason), reason)) {
        declaration->is_namespace = tag == DW_TAG_namespace;
        declaration->is_class = tag == DW_TAG_class_type;
    }
}

uint64_t asnap_entry_unit(struct asnap_dwarf *dwarf, const struct asnap_entry *entry)
{
    Dwarf_Off offset = 0;
    Dwarf_Error reason = NULL;
    int result = dwarf_CU_dieoffset_given_die(entry->handle, &offset, &reason);
    return is_ok(dwarf, result, reason) ? offset : 0;
}

bool asnap_entry_is_cplusplus(struct asnap_dwarf *dwarf, const struct asnap_entry *unit)
{
    uint64_t language = 0;
    if (!number_of(dwarf, unit, DW_AT_language, &language))
        return false;
    return language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
           language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14 ||
           language == DW_LANG_C_plus_plus_17 || language == DW_LANG_C_plus_plus_20;
}

void asnap_entry_call_site(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                           uint64_t *file, uint32_t *line)
{
    uint64_t number = 0;
    *file = 0;
    *line = 0;
    if (number_of(dwarf, entry, DW_AT_call_line, &number) && number <= UINT32_MAX)
        *line = (uint32_t)number;
    if (number_of(dwarf, entry, DW_AT_call_file, &number))
        *file = number;
}

/* ---- lines ---- */

/* Where the unit's line table starts; false: it has none. */
static bool line_table_offset(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                              uint64_t *offset)
{
    Dwarf_Attribute attribute = attribute_of(dwarf, unit, DW_AT_stmt_list);
    if (attribute == NULL)
        return false;
    Dwarf_Error reason = NULL;
    Dwarf_Off found = 0;
    bool is_known = is_ok(dwarf, dwarf_global_formref(attribute, &found, &reason), reason);
    dwarf_dealloc(dwarf->dbg, attribute, DW_DLA_ATTR);
    *offset = found;
    /* DWARF 2 and 3 write it as a plain number. */
    return is_known || number_of(dwarf, unit, DW_AT_stmt_list, offset);
}

struct asnap_error *asnap_line_rows_read(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                                         struct asnap_line_rows *rows)
{
    struct asnap_line_rows made = {0};
    uint64_t offset;
    if (line_table_offset(dwarf, unit, &offset)) {
        const char *unsound;
        struct asnap_error *error =
            asnap_line_program_read(&dwarf->line_sections, offset, &made.program, &unsound);
        if (error == NULL && unsound != NULL)
            error = damage(dwarf, DW_DLV_ERROR, NULL, unsound);
        if (error == NULL)
            error = asnap_dwarf_work(dwarf, made.program.row_count + made.program.file_count +
                                                made.program.directory_count);
        if (error != NULL) {
            asnap_line_program_deinit(&made.program);
            return error;
        }
    }
    if (made.program.needs_strings && dwarf->line_sections.strings.bytes == NULL)
        asnap_elf_debug_contents(dwarf->elf, ".debug_str", &dwarf->line_sections.strings);
    made.compilation_directory = text_of(dwarf, unit, DW_AT_comp_dir);
    *rows = made;
    return NULL;
}
