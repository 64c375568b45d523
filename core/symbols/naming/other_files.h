/* The files that the debugger has read: they may be the right ones where a mapped file is not, or
 * its debug file. */
#ifndef ASNAP_SYMBOLS_OTHER_FILES_H
#define ASNAP_SYMBOLS_OTHER_FILES_H

#include "elf_file.h"

struct asnap_other_file {
    char *path;
    char *mapped;  /* the path that the program has mapped it by; NULL: not told */
    bool was_seen; /* what follows is known */
    bool is_debug_file;
    struct asnap_build_id build_id; /* size 0: it has none, or cannot be read */
};

/* All zero is an empty list. */
struct asnap_other_files {
    struct asnap_other_file *files;
    size_t count;
};

/* Replaces the files; `is_new` is whether there were others before. Copies the paths. `mapped` may
 * be NULL, and have NULLs. */
struct asnap_error *asnap_other_files_set(struct asnap_other_files *others,
                                          const char *const *mapped, const char *const *paths,
                                          size_t count, bool *is_new);

/* Where the file can be opened that the program has mapped by a path; NULL: not told. */
const char *asnap_other_files_seen_at(const struct asnap_other_files *others, const char *mapped);

/* Has each file looked at again before it is used. */
void asnap_other_files_renew(struct asnap_other_files *others);

/* Looks for the program or library of a build, or its debug file; `elf` becomes NULL where it is
 * not there. Fails with NO_MEMORY only. */
struct asnap_error *asnap_other_files_find(struct asnap_other_files *others,
                                           const struct asnap_build_id *build_id,
                                           bool is_debug_file, struct asnap_elf **elf);

void asnap_other_files_deinit(struct asnap_other_files *others);

#endif
