/* Finds the files of split debug information. */
#ifndef ASNAP_SYMBOLS_SPLIT_FILES_H
#define ASNAP_SYMBOLS_SPLIT_FILES_H

#include "dwarf_split.h"

/* An open file of split debug information. */
struct asnap_split_file {
    struct asnap_elf *elf;
    struct asnap_dwarf *dwarf; /* NULL: there is none */
    struct asnap_range_index units;
};

/* The package of a program, once it was looked for. */
struct asnap_split_files {
    const char *program;           /* the path of the program or library */
    const char *debug_directories; /* colon-separated */
    void (*opens)(uint64_t bytes); /* of asnap_dwarf_source */
    bool has_looked;
    struct asnap_split_file package;
};

/* The rest of one unit. */
struct asnap_split_unit {
    struct asnap_dwarf *dwarf; /* NULL: the unit is not split */
    struct asnap_entry entry;  /* the first one of the unit */
    struct asnap_split_file own;
};

/* Opens the rest of the unit of `dwarf`, which is the file at `path`, that `unit` is the first
 * entry of. It is in the package (the name of the program or its debug file with .dwp, beside
 * these or in a debug directory), else in the file that the unit names: from its compilation
 * directory, by that file's last name beside the program or debug file, or from a debug
 * directory. Only the file with the unit's id counts. IO where the unit is split and there is
 * none. Close it also on failure. */
struct asnap_error *asnap_split_open(struct asnap_split_files *files, struct asnap_dwarf *dwarf,
                                     const char *path, const struct asnap_entry *unit,
                                     struct asnap_split_unit *split);
void asnap_split_close(struct asnap_split_unit *split);

void asnap_split_files_deinit(struct asnap_split_files *files);

#endif
