#include "database_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* An open file of SQLite's (sqlite3_file). */
struct opened {
    sqlite3_file base;
    struct asnap_database_file *database;
};

static struct asnap_database_file *database_of(sqlite3_file *file)
{
    return ((struct opened *)file)->database;
}

static int close_file(sqlite3_file *file)
{
    (void)file;
    return SQLITE_OK;
}

static int read_file(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
    struct asnap_database_file *database = database_of(file);
    size_t done = 0;
    while (done < (size_t)size) {
        ssize_t got = pread(database->file->fd, (char *)buffer + done, (size_t)size - done,
                            (off_t)offset + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SQLITE_IOERR_READ;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    if (done == (size_t)size)
        return SQLITE_OK;
    memset((char *)buffer + done, 0, (size_t)size - done);
    return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct asnap_database_file *database = database_of(file);
    if (database->error == NULL)
        database->error =
            asnap_atomic_file_write(database->file, bytes, (size_t)size, (uint64_t)offset);
    if (database->error != NULL)
        return SQLITE_IOERR_WRITE;
    if (offset + size > database->size)
        database->size = offset + size;
    return SQLITE_OK;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    struct asnap_database_file *database = database_of(file);
    if (ftruncate(database->file->fd, (off_t)size) != 0)
        return SQLITE_IOERR_TRUNCATE;
    database->size = size;
    return SQLITE_OK;
}

/* The file is synced when it takes its place. */
static int sync_file(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int size_of_file(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = database_of(file)->size;
    return SQLITE_OK;
}

/* Nobody else has the file. */
static int lock_file(sqlite3_file *file, int lock)
{
    (void)file;
    (void)lock;
    return SQLITE_OK;
}

static int check_lock(sqlite3_file *file, int *is_locked)
{
    (void)file;
    *is_locked = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
    (void)file;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int characteristics(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int open_file(sqlite3_vfs *system, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *got_flags)
{
    struct opened *opened = (struct opened *)file;
    file->pMethods = NULL;
    (void)name;
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return SQLITE_CANTOPEN;
    opened->database = system->pAppData;
    file->pMethods = &methods;
    if (got_flags != NULL)
        *got_flags = flags;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *system, const char *name, int sync)
{
    (void)system;
    (void)name;
    (void)sync;
    return SQLITE_IOERR_DELETE_NOENT;
}

static int access_file(sqlite3_vfs *system, const char *name, int flags, int *is_there)
{
    (void)system;
    (void)name;
    (void)flags;
    *is_there = 0;
    return SQLITE_OK;
}

static int full_name(sqlite3_vfs *system, const char *name, int size, char *full)
{
    (void)system;
    snprintf(full, (size_t)size, "%s", name);
    return SQLITE_OK;
}

/* The same numbers each time: nothing in the file depends on them, and the same snapshot makes the
 * same file. */
static int randomness(sqlite3_vfs *system, int size, char *bytes)
{
    (void)system;
    memset(bytes, 0, (size_t)size);
    return size;
}

static int sleep_for(sqlite3_vfs *system, int microseconds)
{
    (void)system;
    (void)microseconds;
    return 0;
}

static int current_time(sqlite3_vfs *system, double *days)
{
    (void)system;
    *days = 0;
    return SQLITE_OK;
}

struct asnap_error *asnap_database_file_init(struct asnap_database_file *database,
                                             struct asnap_atomic_file *file)
{
    *database = (struct asnap_database_file){
        .system = {.iVersion = 1,
                   .szOsFile = sizeof(struct opened),
                   .mxPathname = 64,
                   .zName = database->name,
                   .pAppData = database,
                   .xOpen = open_file,
                   .xDelete = delete_file,
                   .xAccess = access_file,
                   .xFullPathname = full_name,
                   .xRandomness = randomness,
                   .xSleep = sleep_for,
                   .xCurrentTime = current_time},
        .file = file,
    };
    snprintf(database->name, sizeof(database->name), "allocsnap-%p", (void *)database);
    if (sqlite3_vfs_register(&database->system, 0) != SQLITE_OK)
        return asnap_error_no_memory();
    return NULL;
}

void asnap_database_file_deinit(struct asnap_database_file *database)
{
    sqlite3_vfs_unregister(&database->system);
}
