#include "list_tables.h"

#include "byte_cursor.h"

/* Checks one table; `table` comes to end where the table does. */
static bool is_sound(struct asnap_cursor *table)
{
    size_t offset_size = asnap_cursor_take_length(table);
    uint64_t version = asnap_cursor_take(table, 2);
    uint64_t address_size = asnap_cursor_take(table, 1);
    asnap_cursor_skip(table, 1); /* size of segment selectors */
    uint64_t count = asnap_cursor_take(table, 4);
    const unsigned char *offsets = table->at;
    if (table->is_bad || version != 5 || (address_size != 4 && address_size != 8))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset = asnap_cursor_take(table, offset_size);
        if (table->is_bad || offset >= (uint64_t)(table->end - offsets))
            return false;
    }
    return true;
}

bool asnap_list_tables_are_sound(const unsigned char *bytes, size_t size, bool big_endian)
{
    const unsigned char *end = bytes + size;
    while (bytes < end) {
        struct asnap_cursor table = {.at = bytes, .end = end, .big_endian = big_endian};
        if (!is_sound(&table))
            return false;
        bytes = table.end;
    }
    return true;
}
