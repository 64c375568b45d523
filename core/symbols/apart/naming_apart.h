/* Reading debug information in a process of its own: libdwarf was not made for files that
 * mean harm, and the debugger must outlive them.
 *
 * The process is forked where the first module needs it, and goes on with the modules as this
 * one does, and writes what it finds to a pipe; another is forked only after a file was the end of
 * it. */
#ifndef ASNAP_SYMBOLS_NAMING_APART_H
#define ASNAP_SYMBOLS_NAMING_APART_H

#include <sys/types.h>

#include "naming_reader.h"

struct asnap_naming_writer;

/* One naming of modules. Set `is_wanted`; all else 0. */
struct asnap_apart {
    bool is_wanted; /* else all is read in this process */
    pid_t child;    /* 0: there is none */
    struct asnap_naming_reader reader;
    struct asnap_naming_writer *writer; /* not NULL: this is the child */
};

/* Whether this process only reads debug information, for another one. */
static inline bool asnap_apart_is_child(const struct asnap_apart *apart)
{
    return apart->writer != NULL;
}

/* Ends a naming. A child ends here, and must come here on every way. */
void asnap_apart_end(struct asnap_apart *apart);

/* As asnap_dwarf_name_file, for the module with this number, which rises. Where a file is too
 * much for the child, what was named until then stays named, and `problem` tells; `is_cut_short`
 * becomes whether it was not the file's fault. Without a child (no memory, no processes) the
 * file is read in this process. */
struct asnap_error *asnap_apart_name(struct asnap_apart *apart, uint64_t module,
                                     const struct asnap_dwarf_source *source,
                                     struct asnap_frame_store *store, struct asnap_naming *namings,
                                     size_t count, struct asnap_naming_progress *progress,
                                     struct asnap_error **problem, bool *is_cut_short);

#endif
