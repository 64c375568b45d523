#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "allocsnap_table.h"
#include "kernel.h"
#include "pages.h"

enum { ENVIRONMENT_BYTES = 1 << 20, VALUE_BYTES = 64 };

/* With less, hardly a record could be kept. */
#define LEAST_MEMORY (UINT64_C(1) << 20)

extern char **environ;

struct variable {
    const char *name;
    const char *wanted; /* what the value is not, when it is bad */
    char value[VALUE_BYTES];
};

enum { FRAME_LIMIT, MAX_MEMORY, VARIABLES };

/* Takes the value in "NAME=VALUE" where NAME is one of the variables; the first counts. */
static void take_value(struct variable *variables, const char *entry)
{
    for (int i = 0; i < VARIABLES; i++) {
        size_t length = strlen(variables[i].name);
        if (strncmp(entry, variables[i].name, length) != 0 || entry[length] != '=' ||
            variables[i].value[0] != '\0')
            continue;
        size_t bytes = strnlen(entry + length + 1, VALUE_BYTES - 1);
        memcpy(variables[i].value, entry + length + 1, bytes);
        variables[i].value[bytes] = '\0';
    }
}

/* The dynamic linker allocates before libc has set `environ`. */
static void read_kernel_environment(struct variable *variables)
{
    char *text = asnap_pages_map(ENVIRONMENT_BYTES);
    int file = asnap_kernel_open("/proc/self/environ", O_RDONLY, 0);
    size_t used = 0;
    while (text != NULL && file >= 0 && used < ENVIRONMENT_BYTES - 1) {
        long got = asnap_kernel_read(file, text + used, ENVIRONMENT_BYTES - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    for (size_t at = 0; at < used; at += strlen(text + at) + 1)
        take_value(variables, text + at);
    if (file >= 0)
        asnap_kernel_close(file);
    asnap_pages_unmap(text, ENVIRONMENT_BYTES);
}

static void read_environment(struct variable *variables)
{
    if (environ == NULL)
        read_kernel_environment(variables);
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        take_value(variables, *entry);
}

/* Reads digits up to `end` into `number`; false: there is something else. */
static bool parse_digits(const char *text, const char *end, uint64_t *number)
{
    *number = 0;
    for (const char *digit = text; digit < end; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(*number, 10u, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*digit - '0'), number))
            return false;
    }
    return end > text;
}

static bool parse_frame_limit(const char *value, uint32_t *frame_limit)
{
    uint64_t number;
    if (!parse_digits(value, value + strlen(value), &number) ||
        number > ASNAP_TABLE_FRAME_LIMIT_MAX)
        return false;
    *frame_limit = (uint32_t)number;
    return true;
}

static bool parse_memory(const char *value, uint64_t *bytes)
{
    static const char suffixes[] = "KMG";
    const char *end = value + strlen(value);
    const char *suffix = end > value ? strchr(suffixes, end[-1]) : NULL;
    uint64_t number;
    unsigned shift = 0;
    if (suffix != NULL) {
        end--;
        shift = 10 * (unsigned)(suffix - suffixes + 1);
    }
    if (!parse_digits(value, end, &number) || number > UINT64_MAX >> shift ||
        number << shift < LEAST_MEMORY)
        return false;
    *bytes = number << shift;
    return true;
}

/* Appends as much of `text` as fits, in printable characters. */
static size_t append(char *line, size_t length, size_t room, const char *text)
{
    for (; *text != '\0' && length < room; text++)
        line[length++] = *text >= ' ' && *text <= '~' ? *text : '?';
    return length;
}

static void complain(const struct variable *variable)
{
    char line[256];
    const size_t room = sizeof(line) - 1;
    size_t length = append(line, 0, room, "allocsnap: ");
    length = append(line, length, room, variable->name);
    length = append(line, length, room, "=");
    length = append(line, length, room, variable->value);
    length = append(line, length, room, ": not ");
    length = append(line, length, room, variable->wanted);
    length = append(line, length, room, "; not tracing");
    line[length++] = '\n';
    asnap_kernel_write(STDERR_FILENO, line, length);
}

struct asnap_settings asnap_settings_read(void)
{
    struct variable variables[VARIABLES] = {
        [FRAME_LIMIT] = {"ALLOCSNAP",
                         "a frame limit from 1 to 65535 (or 0 to wait for the debugger)", ""},
        [MAX_MEMORY] = {"ALLOCSNAP_MAX_MEMORY",
                        "a number of bytes from 1M on (with K, M or G behind it)", ""},
    };
    struct asnap_settings settings = {0, UINT64_MAX};
    if (getauxval(AT_SECURE) == 0) {
        settings.frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT;
        read_environment(variables);
        const char *frame_limit = variables[FRAME_LIMIT].value;
        const char *max_memory = variables[MAX_MEMORY].value;
        if (frame_limit[0] != '\0' && !parse_frame_limit(frame_limit, &settings.frame_limit)) {
            complain(&variables[FRAME_LIMIT]);
            settings.frame_limit = 0;
        }
        if (max_memory[0] != '\0' && !parse_memory(max_memory, &settings.max_memory)) {
            complain(&variables[MAX_MEMORY]);
            settings.frame_limit = 0;
        }
    }
    return settings;
}
