/* A look at list tables before libdwarf gets them.
 *
 * libdwarf of 2021 frees twice where the header of a table in .debug_rnglists or
 * .debug_loclists is damaged, and follows the offsets of one without a check. It
 * reads all headers as soon as it looks at the first unit. The end of a list it
 * finds one byte late.
 */
#ifndef ASNAP_SYMBOLS_LIST_TABLES_H
#define ASNAP_SYMBOLS_LIST_TABLES_H

#include "elf_file.h"

/* Whether a section of list tables is tables from end to end, with valid headers
 * (DWARF 5, sections 7.28 and 7.29) and offsets that stay within them; and, where
 * it holds ranges, whether the lists of its last table end. */
bool asnap_list_tables_are_sound(const struct asnap_contents *section, bool holds_ranges);

/* The name of a section of list tables of `elf` that is not sound, or NULL. */
const char *asnap_list_tables_unsound(const struct asnap_elf *elf);

/* Whether the range list (section 2.17.3) at `offset` of .debug_rnglists ends
 * within the section. */
bool asnap_range_list_ends(const struct asnap_contents *section, uint64_t offset);

#endif
