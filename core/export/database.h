/* Writing a database of SQLite: one transaction, statements whose values are bound. */
#ifndef ASNAP_EXPORT_DATABASE_H
#define ASNAP_EXPORT_DATABASE_H

#include "database_file.h"
#include "export_strings.h"

/* The first failure is kept, and nothing is done after it, as by asnap_file_writer. */
struct asnap_database {
    struct asnap_database_file file;
    sqlite3 *connection;
    struct asnap_error *error;
};

/* Opens an empty one in `file` and runs `schema` in a transaction. */
void asnap_database_open(struct asnap_database *database, struct asnap_atomic_file *file,
                         const char *schema);

/* Runs statements. */
void asnap_database_run(struct asnap_database *database, const char *statements);

/* Has it read a table from `module`, under this name, until NULL takes its place. */
void asnap_database_module(struct asnap_database *database, const char *name,
                           const sqlite3_module *module, void *context);

/* Prepares one; NULL after a failure, which the functions below accept. */
sqlite3_stmt *asnap_database_prepare(struct asnap_database *database, const char *statement);

/* Binds value `place`, from 1 on; it stays for later runs. */
void asnap_bind_number(struct asnap_database *database, sqlite3_stmt *statement, int place,
                       uint64_t number);
void asnap_bind_real(struct asnap_database *database, sqlite3_stmt *statement, int place,
                     double number);
void asnap_bind_null(struct asnap_database *database, sqlite3_stmt *statement, int place);
/* Text that stays where it is until after the last run; a literal may be NULL. */
void asnap_bind_text(struct asnap_database *database, sqlite3_stmt *statement, int place,
                     const char *text, size_t size);
void asnap_bind_literal(struct asnap_database *database, sqlite3_stmt *statement, int place,
                        const char *text);
/* One of `strings`, of which none may be added before the last run; the empty one is NULL. */
void asnap_bind_string(struct asnap_database *database, sqlite3_stmt *statement, int place,
                       const struct asnap_strings *strings, uint32_t id);

/* Runs it. */
void asnap_database_step(struct asnap_database *database, sqlite3_stmt *statement);

/* Commits, unless something has failed, and closes; returns the first failure, which is the
 * caller's. Statements must have been finalized. */
struct asnap_error *asnap_database_close(struct asnap_database *database);

#endif
