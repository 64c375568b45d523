#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "allocsnap_table.h"
#include "pages.h"

#define VARIABLE "ALLOCSNAP"

enum { ENVIRONMENT_BYTES = 1 << 20, VALUE_BYTES = 64 };

extern char **environ;

/* The value in "NAME=VALUE" where it is VARIABLE's, else NULL. */
static const char *value_in(const char *entry)
{
    size_t length = sizeof(VARIABLE) - 1;
    return strncmp(entry, VARIABLE, length) == 0 && entry[length] == '=' ? entry + length + 1
                                                                         : NULL;
}

static void copy_value(const char *from, char *value)
{
    size_t length = strnlen(from, VALUE_BYTES - 1);
    memcpy(value, from, length);
    value[length] = '\0';
}

/* The dynamic linker allocates before libc has set `environ`. */
static bool read_kernel_environment(char *value)
{
    bool found = false;
    char *text = asnap_pages_map(ENVIRONMENT_BYTES);
    int file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    while (text != NULL && file >= 0 && used < ENVIRONMENT_BYTES - 1) {
        ssize_t got = read(file, text + used, ENVIRONMENT_BYTES - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    for (size_t at = 0; at < used && !found; at += strlen(text + at) + 1) {
        const char *here = value_in(text + at);
        if (here != NULL) {
            copy_value(here, value);
            found = true;
        }
    }
    if (file >= 0)
        close(file);
    asnap_pages_unmap(text, ENVIRONMENT_BYTES);
    return found;
}

static bool read_environment(char *value)
{
    if (environ == NULL)
        return read_kernel_environment(value);
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *here = value_in(*entry);
        if (here != NULL) {
            copy_value(here, value);
            return true;
        }
    }
    return false;
}

static bool parse(const char *value, uint32_t *frame_limit)
{
    uint32_t number = 0;
    for (const char *digit = value; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        number = number * 10 + (uint32_t)(*digit - '0');
        if (number > ASNAP_TABLE_FRAME_LIMIT_MAX)
            return false;
    }
    *frame_limit = number;
    return true;
}

static void complain(const char *value)
{
    static const char before[] = "allocsnap: " VARIABLE "=";
    static const char after[] =
        ": not a frame limit from 1 to 65535 (or 0 to wait for the debugger); not tracing\n";
    char line[sizeof(before) + VALUE_BYTES + sizeof(after)];
    size_t length = 0;
    memcpy(line, before, sizeof(before) - 1);
    length += sizeof(before) - 1;
    for (const char *byte = value; *byte != '\0'; byte++)
        line[length++] = *byte >= ' ' && *byte <= '~' ? *byte : '?';
    memcpy(line + length, after, sizeof(after) - 1);
    length += sizeof(after) - 1;
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}

uint32_t asnap_settings_frame_limit(void)
{
    char value[VALUE_BYTES] = "";
    uint32_t frame_limit = 0;
    int saved_errno = errno;
    if (getauxval(AT_SECURE) != 0)
        frame_limit = 0;
    else if (!read_environment(value) || value[0] == '\0')
        frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT;
    else if (!parse(value, &frame_limit))
        complain(value);
    errno = saved_errno;
    return frame_limit;
}
