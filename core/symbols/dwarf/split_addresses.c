#include "split_addresses.h"

#include "byte_cursor.h"
#include "error.h"
#include "range_list_kinds.h"

/* A cursor at an offset in a section; bad where that is outside. */
static struct asnap_cursor cursor_at(const struct asnap_contents *section, uint64_t offset)
{
    struct asnap_cursor cursor = {.big_endian = section->big_endian};
    if (section->bytes == NULL) {
        cursor.is_bad = true;
        return cursor;
    }
    cursor.at = section->bytes;
    cursor.end = section->bytes + section->size;
    asnap_cursor_skip(&cursor, offset);
    return cursor;
}

bool asnap_split_address(const struct asnap_split_addresses *addresses, uint64_t index,
                         uint64_t *address)
{
    uint64_t offset;
    size_t size = addresses->addresses.address_size;
    if (__builtin_mul_overflow(index, size, &offset) ||
        __builtin_add_overflow(offset, addresses->addresses_start, &offset))
        return false;
    struct asnap_cursor cursor = cursor_at(&addresses->addresses, offset);
    uint64_t found = asnap_cursor_take(&cursor, size);
    if (cursor.is_bad)
        return false;
    *address = found;
    return true;
}

static struct asnap_error *damaged(void)
{
    return asnap_error_create(ASNAP_ERROR_DAMAGED, "range list");
}

/* Address 0 is where linkers leave the addresses of what they discard. */
static struct asnap_error *add(struct asnap_range_index *ranges, uint64_t start, uint64_t end,
                               uint64_t value)
{
    return start == 0 || start >= end ? NULL : asnap_range_index_add(ranges, start, end, value);
}

/* DWARF 4: section 2.17.3. */
static struct asnap_error *add_pairs(const struct asnap_split_addresses *addresses,
                                     struct asnap_cursor *list, uint64_t value,
                                     struct asnap_range_index *ranges)
{
    size_t size = addresses->ranges.address_size;
    uint64_t largest = size == 8 ? UINT64_MAX : UINT32_MAX;
    uint64_t base = addresses->base;
    for (;;) {
        uint64_t start = asnap_cursor_take(list, size);
        uint64_t end = asnap_cursor_take(list, size);
        if (list->is_bad)
            return damaged();
        if (start == 0 && end == 0)
            return NULL;
        if (start == largest) {
            base = end;
            continue;
        }
        struct asnap_error *error = add(ranges, base + start, base + end, value);
        if (error != NULL)
            return error;
    }
}

/* What an entry of a list says. */
struct listed {
    uint64_t start;
    uint64_t end;
    bool is_range;
    bool is_last;
};

/* Reads an entry (DWARF 5, section 2.17.3); false where it makes no sense. */
static bool read_entry(const struct asnap_split_addresses *addresses, struct asnap_cursor *list,
                       uint64_t *base, struct listed *entry)
{
    size_t size = addresses->ranges.address_size;
    uint64_t kind = asnap_cursor_take(list, 1);
    bool is_known = true;
    *entry = (struct listed){.is_range = true};
    switch (kind) {
    case ASNAP_RLE_END_OF_LIST:
        *entry = (struct listed){.is_last = true};
        break;
    case ASNAP_RLE_BASE_ADDRESSX:
        entry->is_range = false;
        is_known = asnap_split_address(addresses, asnap_cursor_take_leb(list), base);
        break;
    case ASNAP_RLE_BASE_ADDRESS:
        entry->is_range = false;
        *base = asnap_cursor_take(list, size);
        break;
    case ASNAP_RLE_STARTX_ENDX:
        is_known = asnap_split_address(addresses, asnap_cursor_take_leb(list), &entry->start);
        is_known &= asnap_split_address(addresses, asnap_cursor_take_leb(list), &entry->end);
        break;
    case ASNAP_RLE_STARTX_LENGTH:
        is_known = asnap_split_address(addresses, asnap_cursor_take_leb(list), &entry->start);
        entry->end = entry->start + asnap_cursor_take_leb(list);
        break;
    case ASNAP_RLE_OFFSET_PAIR:
        entry->start = *base + asnap_cursor_take_leb(list);
        entry->end = *base + asnap_cursor_take_leb(list);
        break;
    case ASNAP_RLE_START_END:
        entry->start = asnap_cursor_take(list, size);
        entry->end = asnap_cursor_take(list, size);
        break;
    case ASNAP_RLE_START_LENGTH:
        entry->start = asnap_cursor_take(list, size);
        entry->end = entry->start + asnap_cursor_take_leb(list);
        break;
    default:
        return false;
    }
    return is_known && !list->is_bad;
}

static struct asnap_error *add_entries(const struct asnap_split_addresses *addresses,
                                       struct asnap_cursor *list, uint64_t value,
                                       struct asnap_range_index *ranges)
{
    uint64_t base = addresses->base;
    struct listed entry;
    while (read_entry(addresses, list, &base, &entry)) {
        if (entry.is_last)
            return NULL;
        struct asnap_error *error =
            entry.is_range ? add(ranges, entry.start, entry.end, value) : NULL;
        if (error != NULL)
            return error;
    }
    return damaged();
}

/* Leads a number to its list, by the unit's table (DWARF 5, section 7.28). */
static struct asnap_cursor numbered_list(const struct asnap_split_addresses *addresses,
                                         uint64_t number)
{
    struct asnap_cursor table = cursor_at(&addresses->ranges, addresses->ranges_start);
    size_t offset_size = asnap_cursor_take_length(&table);
    asnap_cursor_skip(&table, 4); /* version, sizes */
    uint64_t count = asnap_cursor_take(&table, 4);
    struct asnap_cursor list = table;
    if (table.is_bad || number >= count) {
        list.is_bad = true;
        return list;
    }
    asnap_cursor_skip(&table, number * offset_size);
    asnap_cursor_skip(&list, asnap_cursor_take(&table, offset_size));
    list.is_bad |= table.is_bad;
    return list;
}

struct asnap_error *asnap_split_ranges(const struct asnap_split_addresses *addresses,
                                       uint64_t place, bool is_number, uint64_t value,
                                       struct asnap_range_index *ranges)
{
    if (is_number) {
        struct asnap_cursor list = numbered_list(addresses, place);
        return add_entries(addresses, &list, value, ranges);
    }
    if (__builtin_add_overflow(place, addresses->ranges_start, &place))
        return damaged();
    struct asnap_cursor list = cursor_at(&addresses->ranges, place);
    return addresses->version >= 5 ? add_entries(addresses, &list, value, ranges)
                                   : add_pairs(addresses, &list, value, ranges);
}
