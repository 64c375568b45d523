/* A look at the debug sections of a file before libdwarf gets it.
 *
 * libdwarf reads the file by itself: where it sees a section that libelf does not, or another
 * one, what was checked is not what it reads, and it frees twice (version 20210528, list tables)
 * or takes as much memory as a compressed section says that it has.
 */
#ifndef ASNAP_SYMBOLS_DEBUG_SECTIONS_H
#define ASNAP_SYMBOLS_DEBUG_SECTIONS_H

#include "elf_file.h"

/* What is wrong with one of the file's debug sections, a constant, or NULL. */
const char *asnap_debug_sections_unsound(const struct asnap_elf *elf);

#endif
