#include "source_path.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static size_t append(char *path, size_t length, const char *part)
{
    if (part == NULL || part[0] == '\0')
        return length;
    if (part[0] == '/')
        length = 0;
    else if (length > 0)
        path[length++] = '/';
    size_t part_length = strlen(part);
    memcpy(path + length, part, part_length);
    return length + part_length;
}

/* Where the last component of `path` starts. */
static size_t last_component(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length;
}

/* Folds in place; the result is never longer. */
static void fold(char *path)
{
    size_t root = path[0] == '/' ? 1 : 0;
    size_t length = root;
    for (const char *from = path + root; *from != '\0';) {
        size_t part = strcspn(from, "/");
        size_t start = last_component(path, length);
        bool climbs = part == 2 && from[0] == '.' && from[1] == '.';
        bool above = length == start ||
                     (length - start == 2 && path[start] == '.' && path[start + 1] == '.');
        if (climbs && !above) {
            length = start > root ? start - 1 : root;
        } else if (!(part == 0 || (part == 1 && from[0] == '.') || (climbs && root == 1))) {
            if (length > root)
                path[length++] = '/';
            memmove(path + length, from, part);
            length += part;
        }
        from += part;
        from += *from == '/';
    }
    path[length] = '\0';
}

struct asnap_error *asnap_source_path(const char *compilation_directory, const char *directory,
                                      const char *name, char **path)
{
    const char *parts[] = {compilation_directory, directory, name};
    size_t size = 1;
    for (size_t i = 0; i < 3; i++)
        size += parts[i] == NULL ? 0 : strlen(parts[i]) + 1;
    char *made = malloc(size);
    if (made == NULL)
        return asnap_error_no_memory();
    size_t length = 0;
    for (size_t i = 0; i < 3; i++)
        length = append(made, length, parts[i]);
    made[length] = '\0';
    fold(made);
    *path = made;
    return NULL;
}
