/* A file that is being written as a whole or not at all, as SQLite sees it: it reads and writes
 * there, opens nothing by a name, and finds no other file. */
#ifndef ASNAP_EXPORT_DATABASE_FILE_H
#define ASNAP_EXPORT_DATABASE_FILE_H

#include <sqlite3.h>

#include "atomic_file.h"

/* What SQLite takes for a file system (sqlite3_vfs), with the one file in it. */
struct asnap_database_file {
    sqlite3_vfs system;
    char name[32];
    struct asnap_atomic_file *file;
    struct asnap_error *error; /* the first failure, which is the caller's */
    sqlite3_int64 size;
};

/* Makes it known to SQLite under database->name, until asnap_database_file_deinit. */
struct asnap_error *asnap_database_file_init(struct asnap_database_file *database,
                                             struct asnap_atomic_file *file);
void asnap_database_file_deinit(struct asnap_database_file *database);

#endif
