/* A look at list tables before libdwarf gets them.
 *
 * libdwarf of 2021 frees twice where the header of a table in .debug_rnglists or
 * .debug_loclists is damaged, and follows the offsets of one without a check. It
 * reads all headers as soon as it looks at the first unit.
 */
#ifndef ASNAP_SYMBOLS_LIST_TABLES_H
#define ASNAP_SYMBOLS_LIST_TABLES_H

#include "allocsnap.h"

/* Whether the contents of such a section are tables from end to end, with valid
 * headers (DWARF 5, sections 7.28 and 7.29) and offsets that stay within them. */
bool asnap_list_tables_are_sound(const unsigned char *bytes, size_t size, bool big_endian);

#endif
