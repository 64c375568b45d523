#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leftovers.h"

#define ATTEMPTS 100u

/* Who reads a dump knows what the program had in memory, and where. */
#define OWNER_ONLY ((mode_t)0600)

/* The error for a call that has just failed. */
static struct asnap_error *failed(const char *path)
{
    int number = errno;
    struct asnap_error *error;
    if (number == ENOENT || number == ENOTDIR)
        error = asnap_error_create(ASNAP_ERROR_IO,
                                   "cannot write %s: there is no such directory: make it, or "
                                   "choose another file",
                                   path);
    else
        error = asnap_error_create(ASNAP_ERROR_IO,
                                   "cannot write %s: %s: choose another file, or make room; what "
                                   "was there before is as it was",
                                   path, strerror(number));
    return asnap_error_of_file(error, path, number);
}

static struct asnap_error *not_regular(const char *path)
{
    struct asnap_error *error = asnap_error_create(
        ASNAP_ERROR_IO, "cannot write %s: it is no regular file: choose another file", path);
    return asnap_error_of_file(error, path, 0);
}

static struct asnap_error *dangling(const char *path)
{
    struct asnap_error *error = asnap_error_create(
        ASNAP_ERROR_IO,
        "cannot write %s: it is a symbolic link to a file that is not there: remove the link, or "
        "choose another file",
        path);
    return asnap_error_of_file(error, path, 0);
}

/* Finds out which file `path` is, and whether one may take its place. */
static struct asnap_error *find_target(const char *path, char **target)
{
    char resolved[PATH_MAX];
    struct stat old;
    if (stat(path, &old) == 0) {
        if (!S_ISREG(old.st_mode))
            return not_regular(path);
        if (realpath(path, resolved) == NULL)
            return failed(path);
        path = resolved;
    } else if (errno != ENOENT) {
        return failed(path);
    } else if (lstat(path, &old) == 0) {
        return dangling(path);
    }
    *target = strdup(path);
    return *target == NULL ? asnap_error_no_memory() : NULL;
}

/* Opens the directory of the target: from here on it is that one, whatever its name stands
 * for. Where it can only be written to, its new entry cannot be brought to the disk. */
static struct asnap_error *open_directory(struct asnap_atomic_file *file, const char *path)
{
    const char *slash = strrchr(file->target, '/');
    char *directory =
        slash == NULL ? strdup(".") : strndup(file->target, (size_t)(slash + 1 - file->target));
    if (directory == NULL)
        return asnap_error_no_memory();
    file->name = slash == NULL ? file->target : slash + 1;
    errno = ENOENT;
    if (file->name[0] != '\0')
        file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->directory < 0 && errno == EACCES)
        file->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct asnap_error *error = file->directory < 0 ? failed(path) : NULL;
    free(directory);
    return error;
}

static struct asnap_error *create_temporary(struct asnap_atomic_file *file, const char *path)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        snprintf(file->temporary, sizeof(file->temporary), ".allocsnap-%ld-%u.tmp", (long)getpid(),
                 attempt);
        file->fd = openat(file->directory, file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                          OWNER_ONLY);
        if (file->fd >= 0 && asnap_temporary_claim(file->fd))
            return NULL;
        if (file->fd >= 0)
            close(file->fd);
        else if (errno != EEXIST)
            break;
    }
    return failed(path);
}

/* Gives the new file the permissions that this user has given the old one. Where that is not
 * possible, they are those of a new file. */
static void take_permissions(const struct asnap_atomic_file *file)
{
    struct stat old;
    if (fstatat(file->directory, file->name, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(old.st_mode) && old.st_uid == geteuid())
        fchmod(file->fd, old.st_mode & 0777);
}

struct asnap_error *asnap_atomic_file_open(struct asnap_atomic_file *file, const char *path)
{
    struct asnap_atomic_file made = {.fd = -1, .directory = -1};
    struct asnap_error *error = find_target(path, &made.target);
    if (made.target != NULL)
        error = open_directory(&made, path);
    if (error == NULL) {
        asnap_leftovers_remove(made.directory);
        error = create_temporary(&made, path);
    }
    if (error != NULL) {
        if (made.directory >= 0)
            close(made.directory);
        free(made.target);
        return error;
    }
    take_permissions(&made);
    *file = made;
    return NULL;
}

struct asnap_error *asnap_atomic_file_write(struct asnap_atomic_file *file, const void *bytes,
                                            size_t size, uint64_t offset)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = pwrite(file->fd, at, size, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed(file->target);
        /* Let the disk begin, so that the end has less to wait for; it need not. */
        sync_file_range(file->fd, (off_t)offset, written, SYNC_FILE_RANGE_WRITE);
        at += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return NULL;
}

struct asnap_error *asnap_atomic_file_close(struct asnap_atomic_file *file,
                                            struct asnap_error *error)
{
    if (error == NULL && fsync(file->fd) != 0)
        error = failed(file->target);
    if (error == NULL &&
        renameat(file->directory, file->temporary, file->directory, file->name) != 0)
        error = failed(file->target);
    /* Nothing can be undone any more, so a file system that cannot bring a directory to the disk
     * is no error. */
    if (error == NULL)
        fsync(file->directory);
    else
        unlinkat(file->directory, file->temporary, 0);
    close(file->fd);
    close(file->directory);
    free(file->target);
    return error;
}
