/* Reads numbers from bytes that are not to be trusted. */
#ifndef ASNAP_SYMBOLS_BYTE_CURSOR_H
#define ASNAP_SYMBOLS_BYTE_CURSOR_H

#include "allocsnap.h"

struct asnap_cursor {
    const unsigned char *at;
    const unsigned char *end;
    bool big_endian;
    bool is_bad; /* something was asked for behind the end; from then on all is 0 */
};

/* A number of `bytes` bytes, at most 8. */
uint64_t asnap_cursor_take(struct asnap_cursor *cursor, size_t bytes);

/* An unsigned LEB128 number (DWARF 5, section 7.6), without the bits above 64. */
uint64_t asnap_cursor_take_leb(struct asnap_cursor *cursor);

/* The same, signed. */
int64_t asnap_cursor_take_signed_leb(struct asnap_cursor *cursor);

/* The initial length of a unit (DWARF 5, section 7.4): ends the cursor at the end
 * of the unit, and returns the size of offsets in it, 4 or 8. */
size_t asnap_cursor_take_length(struct asnap_cursor *cursor);

void asnap_cursor_skip(struct asnap_cursor *cursor, uint64_t bytes);

#endif
