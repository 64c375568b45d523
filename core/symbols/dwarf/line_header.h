/* The header of a line number program (DWARF 5, section 6.2.4). */
#ifndef ASNAP_SYMBOLS_LINE_HEADER_H
#define ASNAP_SYMBOLS_LINE_HEADER_H

#include "byte_cursor.h"
#include "line_program.h"

struct asnap_line_header {
    struct asnap_cursor code; /* the instructions */
    size_t address_size;
    unsigned instruction_length; /* the least, in bytes */
    unsigned operations;         /* of an instruction, at most; not 0 */
    int line_base;
    unsigned line_range;          /* not 0 */
    unsigned opcode_base;         /* not 0 */
    const unsigned char *lengths; /* how many operands the standard opcodes from 1 have */
};

/* Reads it, and the lists of directories and files into `program`; the errors are those of
 * asnap_line_program_read. */
struct asnap_error *asnap_line_header_read(const struct asnap_line_sections *sections,
                                           uint64_t offset, struct asnap_line_header *header,
                                           struct asnap_line_program *program, const char **damage);

#endif
