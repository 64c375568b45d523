#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 100u

/* The error for a call that has just failed. */
static struct asnap_error *failed(const char *path)
{
    int number = errno;
    if (number == ENOENT || number == ENOTDIR)
        return asnap_error_create(ASNAP_ERROR_IO,
                                  "cannot write %s: there is no such directory: make it, or choose "
                                  "another file",
                                  path);
    return asnap_error_create(ASNAP_ERROR_IO,
                              "cannot write %s: %s: choose another file, or make room; what was "
                              "there before is as it was",
                              path, strerror(number));
}

/* Finds out which file `path` is, and whether one may take its place. */
static struct asnap_error *find_target(const char *path, char **target, struct stat *old)
{
    char resolved[PATH_MAX];
    *old = (struct stat){0};
    if (stat(path, old) != 0) {
        if (errno != ENOENT)
            return failed(path);
        *target = strdup(path);
        return *target == NULL ? asnap_error_no_memory() : NULL;
    }
    if (!S_ISREG(old->st_mode))
        return asnap_error_create(
            ASNAP_ERROR_IO, "cannot write %s: it is no regular file: choose another file", path);
    if (realpath(path, resolved) == NULL)
        return failed(path);
    *target = strdup(resolved);
    return *target == NULL ? asnap_error_no_memory() : NULL;
}

/* The length of the directory in a path, with its slash; 0: the current one. */
static int directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (int)(slash + 1 - path);
}

static struct asnap_error *create_temporary(struct asnap_atomic_file *file, const char *path)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        char *name;
        if (asprintf(&name, "%.*s.allocsnap-%ld-%u.tmp", directory_length(file->target),
                     file->target, (long)getpid(), attempt) < 0)
            return asnap_error_no_memory();
        file->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->fd >= 0) {
            file->temporary = name;
            return NULL;
        }
        free(name);
        if (errno != EEXIST)
            break;
    }
    return failed(path);
}

struct asnap_error *asnap_atomic_file_open(struct asnap_atomic_file *file, const char *path)
{
    struct stat old;
    struct asnap_atomic_file made = {.fd = -1};
    struct asnap_error *error = find_target(path, &made.target, &old);
    if (error == NULL)
        error = create_temporary(&made, path);
    if (error != NULL) {
        free(made.target);
        return error;
    }
    /* Where the permissions cannot be those of the old file, they are those of a new one. */
    if (old.st_mode != 0)
        fchmod(made.fd, old.st_mode & 0777);
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

/* Makes the directory remember its new entry. Nothing can be undone any more, so a
 * file system that cannot do this is no error. */
static void sync_directory(const struct asnap_atomic_file *file)
{
    int length = directory_length(file->target);
    file->temporary[length] = '.';
    file->temporary[length + 1] = '\0';
    int fd = open(file->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

struct asnap_error *asnap_atomic_file_close(struct asnap_atomic_file *file,
                                            struct asnap_error *error)
{
    if (error == NULL && fsync(file->fd) != 0)
        error = failed(file->target);
    if (close(file->fd) != 0 && error == NULL)
        error = failed(file->target);
    if (error == NULL && rename(file->temporary, file->target) != 0)
        error = failed(file->target);
    if (error == NULL)
        sync_directory(file);
    else
        unlink(file->temporary);
    free(file->temporary);
    free(file->target);
    return error;
}
