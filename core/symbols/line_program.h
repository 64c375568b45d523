/* The file register of line number programs.
 *
 * libdwarf before 0.5 starts it at 0 for DWARF 5 tables, where the standard
 * (section 6.2.2) and the compilers say 1, so rows before the first
 * DW_LNS_set_file of a sequence come out with another file. This reads just
 * enough of a program to tell.
 */
#ifndef ASNAP_SYMBOLS_LINE_PROGRAM_H
#define ASNAP_SYMBOLS_LINE_PROGRAM_H

#include "dwarf_access.h"

/* Corrects the files of the rows of the line table at `offset` of `section`
 * (.debug_line). Changes nothing where that is no DWARF 5 table with as many rows. */
void asnap_line_program_correct(const struct asnap_contents *section, uint64_t offset,
                                struct asnap_line_row *rows, size_t count);

#endif
