/* Frames of addresses from the debug information of one file. */
#ifndef ASNAP_SYMBOLS_DWARF_NAMING_H
#define ASNAP_SYMBOLS_DWARF_NAMING_H

#include "dwarf_access.h"
#include "frame_store.h"

/* How far a naming has come, over all its files. */
struct asnap_naming_progress {
    const struct asnap_progress *progress; /* may be NULL */
    uint64_t done;                         /* addresses */
    uint64_t total;
};

/* Tells that `count` more addresses are done; INTERRUPTED where it shall stop. */
struct asnap_error *asnap_naming_advance(struct asnap_naming_progress *progress, size_t count);

/* An address to be named. */
struct asnap_naming {
    uint64_t address; /* link-time address within the call instruction */
    uint64_t unit;    /* used by asnap_dwarf_name_file */
    /* NULL until it is named. Of the outermost frame the function may be NULL,
     * and a file name is NULL where it is unknown. */
    const struct asnap_named_pc *named;
    /* The outermost function is C++ and has no linkage name (as the call operators
     * of lambdas have none): a C++ symbol tells more. */
    bool prefers_symbol;
};

/* No address has more frames (see also ASNAP_FRAMES_OF_EACH); what is further out is left out. */
#define ASNAP_NAMING_FRAMES_MAX 512

/* Where debug information is. */
struct asnap_dwarf_source {
    const struct asnap_elf *file;
    const struct asnap_elf *supplement; /* NULL: none */
    const char *program; /* path of the program or library: beside it may be split files */
    const char *debug_directories; /* where they may be too; colon-separated */
    void (*opens)(uint64_t bytes); /* told the size of each split file; may be NULL */
};

/* Names what the debug information knows of `namings`, which come and go in the
 * order of their addresses. Each unit that holds one is decoded once, and left
 * before the next. What is damaged is told by `problem` (see asnap_problem_keep). */
struct asnap_error *asnap_dwarf_name_file(const struct asnap_dwarf_source *source,
                                          struct asnap_frame_store *store,
                                          struct asnap_naming *namings, size_t count,
                                          struct asnap_naming_progress *progress,
                                          struct asnap_error **problem);

#endif
