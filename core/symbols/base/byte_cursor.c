#include "byte_cursor.h"

static uint64_t left(const struct asnap_cursor *cursor)
{
    return (uint64_t)(cursor->end - cursor->at);
}

static void spoil(struct asnap_cursor *cursor)
{
    cursor->is_bad = true;
    cursor->at = cursor->end;
}

uint64_t asnap_cursor_take(struct asnap_cursor *cursor, size_t bytes)
{
    if (left(cursor) < bytes) {
        spoil(cursor);
        return 0;
    }
    uint64_t value = 0;
    if (bytes == 1)
        return *cursor->at++;
    for (size_t i = 0; i < bytes; i++) {
        size_t place = cursor->big_endian ? i : bytes - 1 - i;
        value = value << 8 | cursor->at[place];
    }
    cursor->at += bytes;
    return value;
}

uint64_t asnap_cursor_take_leb(struct asnap_cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = asnap_cursor_take(cursor, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
}

int64_t asnap_cursor_take_signed_leb(struct asnap_cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = asnap_cursor_take(cursor, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) != 0)
            continue;
        if ((byte & 0x40) != 0 && shift + 7 < 64)
            value |= UINT64_MAX << (shift + 7);
        return (int64_t)value;
    }
}

size_t asnap_cursor_take_length(struct asnap_cursor *cursor)
{
    size_t offset_size = 4;
    uint64_t length = asnap_cursor_take(cursor, 4);
    if (length == UINT32_MAX) {
        offset_size = 8;
        length = asnap_cursor_take(cursor, 8);
    }
    if (length > left(cursor))
        spoil(cursor);
    else
        cursor->end = cursor->at + length;
    return offset_size;
}

void asnap_cursor_skip(struct asnap_cursor *cursor, uint64_t bytes)
{
    if (left(cursor) < bytes)
        spoil(cursor);
    else
        cursor->at += bytes;
}
