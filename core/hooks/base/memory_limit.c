#include "memory_limit.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "kernel.h"
#include "numbers.h"
#include "pages.h"

/* A process is in a dozen groups at most, and the kernel writes no longer path than a page. */
enum { GROUPS_BYTES = 1 << 16, VALUE_BYTES = 64 };

/* Version 1 writes a number of about 2^63 where there is no limit. */
#define NO_LIMIT (UINT64_C(1) << 62)

struct reading {
    char groups[GROUPS_BYTES];
    char path[2 * PATH_MAX];
};

/* The bytes that are there, with a NUL behind them. False: it cannot be read, or does not fit. */
static bool read_whole(const char *path, char *text, size_t room)
{
    size_t length = 0;
    long got = 1;
    int file = asnap_kernel_open(path, O_RDONLY, 0);
    if (file < 0)
        return false;
    while (got > 0 && length < room) {
        got = asnap_kernel_read(file, text + length, room - length);
        if (got > 0)
            length += (size_t)got;
    }
    asnap_kernel_close(file);
    if (got != 0 || length == room)
        return false;
    text[length] = '\0';
    return true;
}

/* The number in a file; UINT64_MAX where it has none ("max"), or is not there. */
static uint64_t limit_in(const char *path)
{
    char text[VALUE_BYTES];
    uint64_t number;
    if (!read_whole(path, text, sizeof(text)))
        return UINT64_MAX;
    char *end = strchr(text, '\n');
    if (end == NULL)
        end = text + strlen(text);
    return asnap_parse_digits(text, end, &number) && number < NO_LIMIT ? number : UINT64_MAX;
}

/* Appends text; false: there is no room. */
static bool append(char *path, size_t room, const char *text)
{
    size_t length = strlen(path);
    size_t more = strlen(text);
    if (more >= room - length)
        return false;
    memcpy(path + length, text, more + 1);
    return true;
}

/* The least limit of a group and those above it, up to the mount. In a container the path may be
 * one of the host's, of which only the mount itself is seen. */
static uint64_t least_limit(char *path, size_t room, size_t mount_length, const char *file)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        size_t length = strlen(path);
        uint64_t limit = append(path, room, file) ? limit_in(path) : UINT64_MAX;
        if (limit < least)
            least = limit;
        if (length <= mount_length)
            return least;
        do
            length--;
        while (length > mount_length && path[length] != '/');
        path[length] = '\0';
    }
}

/* Whether a list of names between commas has this one. */
static bool has_name(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (; list != NULL; list = strchr(list, ',')) {
        list += *list == ',';
        if (strncmp(list, name, length) == 0 && (list[length] == ',' || list[length] == '\0'))
            return true;
    }
    return false;
}

/* Whether a path has a part "..": it is of a group that is not below the mount. */
static bool goes_up(const char *path)
{
    for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/'))
        if (strncmp(at, "/..", 3) == 0 && (at[3] == '/' || at[3] == '\0'))
            return true;
    return false;
}

/* A line "NUMBER:CONTROLLERS:PATH"; those of version 2 are without controllers. */
static uint64_t limit_of_line(char *line, const char *mount, char *path, size_t room)
{
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL)
        return UINT64_MAX;
    *group++ = '\0';
    controllers++;
    bool is_old = has_name(controllers, "memory");
    if (!is_old && controllers[0] != '\0')
        return UINT64_MAX;
    path[0] = '\0';
    if (!append(path, room, mount) || (is_old && !append(path, room, "/memory")))
        return UINT64_MAX;
    size_t mount_length = strlen(path);
    if (group[0] == '/' && group[1] != '\0' && !goes_up(group) && !append(path, room, group))
        return UINT64_MAX;
    return least_limit(path, room, mount_length, is_old ? "/memory.limit_in_bytes" : "/memory.max");
}

uint64_t asnap_memory_limit(const char *groups, const char *mount)
{
    uint64_t least = UINT64_MAX;
    struct reading *reading = asnap_pages_map(sizeof(*reading));
    if (reading == NULL)
        return least;
    bool is_read = read_whole(groups, reading->groups, sizeof(reading->groups));
    for (char *line = reading->groups, *next; is_read && line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        uint64_t limit = limit_of_line(line, mount, reading->path, sizeof(reading->path));
        if (limit < least)
            least = limit;
    }
    asnap_pages_unmap(reading, sizeof(*reading));
    return least;
}
