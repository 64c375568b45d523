/* Writing a file as a whole or not at all. */
#ifndef ASNAP_BASE_ATOMIC_FILE_H
#define ASNAP_BASE_ATOMIC_FILE_H

#include "error.h"

/* Room for the name of a temporary file. */
#define ASNAP_TEMPORARY_NAME 48

/* A file being written beside the one whose place it shall take. */
struct asnap_atomic_file {
    int fd;
    int directory;
    char *target;     /* symbolic links resolved */
    const char *name; /* of the target in its directory */
    char temporary[ASNAP_TEMPORARY_NAME];
};

/* Begins, with a file that no other user can read (0600, less what the umask takes away), or that
 * has the permissions of a file of this user that it shall replace. Removes what killed writers
 * have left in the directory. Fails with IO where there is something at `path` that is no regular
 * file, or a symbolic link to nothing, or its directory cannot be written to. */
struct asnap_error *asnap_atomic_file_open(struct asnap_atomic_file *file, const char *path);

/* Writes bytes at an offset. */
struct asnap_error *asnap_atomic_file_write(struct asnap_atomic_file *file, const void *bytes,
                                            size_t size, uint64_t offset);

/* Ends. Where `error` is NULL the file takes its place, once it is on the disk; else,
 * or where that fails, the place is left as it was. Returns what has failed. */
struct asnap_error *asnap_atomic_file_close(struct asnap_atomic_file *file,
                                            struct asnap_error *error);

#endif
