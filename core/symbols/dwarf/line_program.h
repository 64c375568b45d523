/* Line number programs (DWARF 5, section 6.2), versions 2 to 5.
 *
 * Read here and not through libdwarf: that makes an object of each row, which took half of all
 * the time, and before 0.5 it gives rows of DWARF 5 the wrong file.
 */
#ifndef ASNAP_SYMBOLS_LINE_PROGRAM_H
#define ASNAP_SYMBOLS_LINE_PROGRAM_H

#include "elf_file.h"

/* A row of a line table (section 6.2.2), in the order of the table. */
struct asnap_line_row {
    uint64_t address;
    uint32_t file; /* for asnap_line_program_file; UINT32_MAX: more than can be */
    uint32_t line; /* 0: belongs to no line */
    bool ends;     /* the first address after a sequence */
};

/* Where a string of a header starts. */
struct asnap_line_text {
    const struct asnap_contents *section; /* NULL: there is none */
    uint64_t offset;
};

struct asnap_line_file {
    struct asnap_line_text name;
    uint64_t directory;
};

/* A table that was read; all zero is an empty one. */
struct asnap_line_program {
    unsigned version;
    struct asnap_line_row *rows;
    size_t row_count;
    struct asnap_line_text *directories;
    size_t directory_count;
    struct asnap_line_file *files;
    size_t file_count;
    bool needs_strings; /* some names are in .debug_str, which may be read after the table */
};

struct asnap_line_sections {
    struct asnap_contents lines;        /* .debug_line */
    struct asnap_contents line_strings; /* .debug_line_str */
    struct asnap_contents strings;      /* .debug_str */
};

/* Reads the table at `offset`. `*damage` becomes what is wrong with it, a constant, or NULL:
 * the table is then empty. The sections must outlive `program`. */
struct asnap_error *asnap_line_program_read(const struct asnap_line_sections *sections,
                                            uint64_t offset, struct asnap_line_program *program,
                                            const char **damage);

/* The parts of a file's path, for asnap_source_path: `compilation_directory` is replaced by
 * the table's where it has one; `directory` may become NULL. false: the table has no such file. */
bool asnap_line_program_file(const struct asnap_line_program *program, uint64_t file,
                             const char **compilation_directory, const char **directory,
                             const char **name);

void asnap_line_program_deinit(struct asnap_line_program *program);

#endif
