#include "database.h"

#include <string.h>

/* The file is nobody's before it has taken its place: no journal, no locks. Pages that are full
 * are written as soon as there are more than 16 MiB of them. */
static const char settings[] = "PRAGMA page_size = 16384;"
                               "PRAGMA cache_size = -16384;"
                               "PRAGMA journal_mode = OFF;"
                               "PRAGMA synchronous = OFF;"
                               "PRAGMA locking_mode = EXCLUSIVE;"
                               "PRAGMA temp_store = MEMORY;"
                               "BEGIN;";

static void fail(struct asnap_database *database, int status)
{
    if (database->error != NULL)
        return;
    if (database->file.error != NULL) {
        database->error = database->file.error;
        database->file.error = NULL;
    } else if (status == SQLITE_NOMEM) {
        database->error = asnap_error_no_memory();
    } else {
        database->error = asnap_error_create(
            ASNAP_ERROR_IO, "cannot write the database: SQLite says: %s: choose another format",
            database->connection == NULL ? sqlite3_errstr(status)
                                         : sqlite3_errmsg(database->connection));
    }
}

void asnap_database_open(struct asnap_database *database, struct asnap_atomic_file *file,
                         const char *schema)
{
    database->connection = NULL;
    database->error = asnap_database_file_init(&database->file, file);
    if (database->error != NULL)
        return;
    int status = sqlite3_open_v2("snapshot", &database->connection,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                 database->file.name);
    if (status != SQLITE_OK)
        fail(database, status);
    asnap_database_run(database, settings);
    asnap_database_run(database, schema);
}

void asnap_database_run(struct asnap_database *database, const char *statements)
{
    if (database->error != NULL)
        return;
    int status = sqlite3_exec(database->connection, statements, NULL, NULL, NULL);
    if (status != SQLITE_OK)
        fail(database, status);
}

void asnap_database_module(struct asnap_database *database, const char *name,
                           const sqlite3_module *module, void *context)
{
    if (database->connection == NULL)
        return;
    int status = sqlite3_create_module_v2(database->connection, name, module, context, NULL);
    if (status != SQLITE_OK)
        fail(database, status);
}

sqlite3_stmt *asnap_database_prepare(struct asnap_database *database, const char *statement)
{
    sqlite3_stmt *prepared = NULL;
    if (database->error != NULL)
        return NULL;
    int status = sqlite3_prepare_v2(database->connection, statement, -1, &prepared, NULL);
    if (status != SQLITE_OK)
        fail(database, status);
    return prepared;
}

static void check(struct asnap_database *database, int status)
{
    if (status != SQLITE_OK)
        fail(database, status);
}

void asnap_bind_number(struct asnap_database *database, sqlite3_stmt *statement, int place,
                       uint64_t number)
{
    if (statement != NULL)
        check(database, sqlite3_bind_int64(statement, place, (sqlite3_int64)number));
}

void asnap_bind_real(struct asnap_database *database, sqlite3_stmt *statement, int place,
                     double number)
{
    if (statement != NULL)
        check(database, sqlite3_bind_double(statement, place, number));
}

void asnap_bind_null(struct asnap_database *database, sqlite3_stmt *statement, int place)
{
    if (statement != NULL)
        check(database, sqlite3_bind_null(statement, place));
}

void asnap_bind_text(struct asnap_database *database, sqlite3_stmt *statement, int place,
                     const char *text, size_t size)
{
    if (statement != NULL)
        check(database,
              sqlite3_bind_text64(statement, place, text, size, SQLITE_STATIC, SQLITE_UTF8));
}

void asnap_bind_literal(struct asnap_database *database, sqlite3_stmt *statement, int place,
                        const char *text)
{
    if (text == NULL)
        asnap_bind_null(database, statement, place);
    else
        asnap_bind_text(database, statement, place, text, strlen(text));
}

void asnap_bind_string(struct asnap_database *database, sqlite3_stmt *statement, int place,
                       const struct asnap_strings *strings, uint32_t id)
{
    size_t size;
    const char *text = asnap_strings_get(strings, id, &size);
    if (size == 0)
        asnap_bind_null(database, statement, place);
    else
        asnap_bind_text(database, statement, place, text, size);
}

void asnap_database_step(struct asnap_database *database, sqlite3_stmt *statement)
{
    if (database->error != NULL || statement == NULL)
        return;
    int status = sqlite3_step(statement);
    if (status != SQLITE_DONE)
        fail(database, status);
    sqlite3_reset(statement);
}

struct asnap_error *asnap_database_close(struct asnap_database *database)
{
    asnap_database_run(database, "COMMIT");
    sqlite3_close(database->connection);
    asnap_database_file_deinit(&database->file);
    asnap_error_destroy(database->file.error);
    return database->error;
}
