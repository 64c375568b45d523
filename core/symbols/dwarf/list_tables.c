#include "list_tables.h"

#include "byte_cursor.h"
#include "range_list_kinds.h"

/* Skips one entry; false: it is the last one, or unknown, which libdwarf takes for
 * the last one too. */
static bool skip_entry(struct asnap_cursor *list, size_t address_size)
{
    switch (asnap_cursor_take(list, 1)) {
    case ASNAP_RLE_BASE_ADDRESSX:
        asnap_cursor_take_leb(list);
        return true;
    case ASNAP_RLE_STARTX_ENDX:
    case ASNAP_RLE_STARTX_LENGTH:
    case ASNAP_RLE_OFFSET_PAIR:
        asnap_cursor_take_leb(list);
        asnap_cursor_take_leb(list);
        return true;
    case ASNAP_RLE_BASE_ADDRESS:
        asnap_cursor_skip(list, address_size);
        return true;
    case ASNAP_RLE_START_END:
        asnap_cursor_skip(list, 2 * address_size);
        return true;
    case ASNAP_RLE_START_LENGTH:
        asnap_cursor_skip(list, address_size);
        asnap_cursor_take_leb(list);
        return true;
    default:
        return false;
    }
}

/* How long the list is that starts at `at`, in bytes; 0 where it does not end. */
static size_t list_length(const struct asnap_contents *section, const unsigned char *at)
{
    struct asnap_cursor list = {
        .at = at, .end = section->bytes + section->size, .big_endian = section->big_endian};
    while (!list.is_bad && skip_entry(&list, section->address_size))
        continue;
    return list.is_bad ? 0 : (size_t)(list.at - at);
}

bool asnap_range_list_ends(const struct asnap_contents *section, uint64_t offset)
{
    return offset < section->size && list_length(section, section->bytes + offset) > 0;
}

/* Checks the header and the offsets of one table. */
static bool is_sound(struct asnap_cursor *table, size_t address_size)
{
    size_t offset_size = asnap_cursor_take_length(table);
    uint64_t version = asnap_cursor_take(table, 2);
    uint64_t its_address_size = asnap_cursor_take(table, 1);
    asnap_cursor_skip(table, 1); /* size of segment selectors */
    uint64_t count = asnap_cursor_take(table, 4);
    const unsigned char *offsets = table->at;
    if (table->is_bad || version != 5 || its_address_size != address_size)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset = asnap_cursor_take(table, offset_size);
        if (table->is_bad || offset >= (uint64_t)(table->end - offsets))
            return false;
    }
    return true;
}

/* Whether the range lists that a sound table lists all end within the section. */
static bool lists_end(const struct asnap_contents *section, const unsigned char *start)
{
    struct asnap_cursor table = {
        .at = start, .end = section->bytes + section->size, .big_endian = section->big_endian};
    size_t offset_size = asnap_cursor_take_length(&table);
    asnap_cursor_skip(&table, 4);
    uint64_t count = asnap_cursor_take(&table, 4);
    const unsigned char *offsets = table.at;
    /* Lists may share their ends, but not so that reading them takes for ever. */
    size_t allowed = 16 * section->size;
    for (uint64_t i = 0; i < count; i++) {
        size_t length = list_length(section, offsets + asnap_cursor_take(&table, offset_size));
        if (length == 0 || length > allowed)
            return false;
        allowed -= length;
    }
    return true;
}

bool asnap_list_tables_are_sound(const struct asnap_contents *section, bool holds_ranges)
{
    if (section->size == 0)
        return true;
    const unsigned char *end = section->bytes + section->size;
    const unsigned char *last = NULL;
    for (const unsigned char *at = section->bytes; at < end;) {
        struct asnap_cursor table = {.at = at, .end = end, .big_endian = section->big_endian};
        if (!is_sound(&table, section->address_size))
            return false;
        last = at;
        at = table.end;
    }
    return last == NULL || !holds_ranges || lists_end(section, last);
}

const char *asnap_list_tables_unsound(const struct asnap_elf *elf)
{
    static const char *const names[] = {".debug_rnglists", ".debug_loclists", ".debug_rnglists.dwo",
                                        ".debug_loclists.dwo"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct asnap_contents section;
        asnap_elf_debug_contents(elf, names[i], &section);
        Elf_Scn *whole = asnap_elf_section(elf, names[i]);
        GElf_Shdr header;
        /* Not to be uncompressed by libelf; libdwarf may have another opinion. */
        if (section.size == 0 && gelf_getshdr(whole, &header) != NULL && header.sh_size != 0)
            return names[i];
        if (!asnap_list_tables_are_sound(&section, i % 2 == 0))
            return names[i];
    }
    return NULL;
}
