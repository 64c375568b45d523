#include "open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No errno. */
#define NOT_REGULAR (-1)

/* Holes in less than this are no matter. */
#define HOLLOW_BYTES ((uint64_t)1 << 20)

static int check(int fd, struct stat *status)
{
    if (fstat(fd, status) != 0)
        return errno;
    return S_ISREG(status->st_mode) ? 0 : NOT_REGULAR;
}

/* Opens what `handle`, from O_PATH, stands for. Where /proc is missing it is the path again. */
static int open_handle(int handle, const char *path)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    char place[sizeof("/proc/self/fd/-2147483648")];
    snprintf(place, sizeof(place), "/proc/self/fd/%d", handle);
    int fd = open(place, flags);
    return fd < 0 && errno == ENOENT ? open(path, flags) : fd;
}

int asnap_open_regular(const char *path, int *fd, struct stat *status)
{
    int opened = -1;
    int handle = open(path, O_PATH | O_CLOEXEC);
    if (handle < 0)
        return errno;
    int result = check(handle, status);
    if (result == 0)
        opened = open_handle(handle, path);
    if (result == 0)
        result = opened < 0 ? errno : check(opened, status);
    close(handle);
    if (result == 0)
        *fd = opened;
    else if (opened >= 0)
        close(opened);
    return result;
}

const char *asnap_open_reason(int result)
{
    return result == NOT_REGULAR ? "not a regular file" : strerror(result);
}

int asnap_open_errno(int result)
{
    return result == NOT_REGULAR ? 0 : result;
}

void asnap_file_next_data(int fd, uint64_t *at, uint64_t *end)
{
    off_t data = *at > INT64_MAX ? -1 : lseek(fd, (off_t)*at, SEEK_DATA);
    bool is_behind = *at > INT64_MAX || (data < 0 && errno == ENXIO);
    off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
    *end = hole > data ? (uint64_t)hole : INT64_MAX;
    if (is_behind)
        *at = UINT64_MAX;
    else if (data >= 0)
        *at = (uint64_t)data;
}

uint64_t asnap_file_data_bytes(int fd, uint64_t start, uint64_t size)
{
    uint64_t end;
    uint64_t bytes = 0;
    if (__builtin_add_overflow(start, size, &end))
        end = UINT64_MAX;
    for (uint64_t at = start, next; at < end; at = next) {
        asnap_file_next_data(fd, &at, &next);
        if (at >= end)
            break;
        bytes += (next < end ? next : end) - at;
    }
    return bytes;
}

bool asnap_file_is_hollow(int fd, uint64_t start, uint64_t size)
{
    return size > HOLLOW_BYTES && asnap_file_data_bytes(fd, start, size) < size / 2;
}
