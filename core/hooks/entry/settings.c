#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "allocsnap_table.h"
#include "kernel.h"
#include "numbers.h"
#include "pages.h"
#include "walk_check.h"
#include "watch_settings.h"

/* Of an entry so much is kept that any good value is whole, and one that is not is seen. */
enum { PIECE_BYTES = 1 << 16, PATH_BYTES = 4096, VALUE_BYTES = PATH_BYTES + 1, NAME_BYTES = 32 };

/* With less, hardly a record could be kept. */
#define LEAST_MEMORY (UINT64_C(1) << 20)

extern char **environ;

struct variable {
    const char *name;
    const char *wanted; /* what the value is not, when it is bad */
    char *value;        /* VALUE_BYTES, "" where there is none */
    bool given;
};

enum {
    FRAME_LIMIT,
    MAX_MEMORY,
    SAMPLE,
    SAMPLE_SEED,
    WATCH,
    WATCH_ACTION,
    FREED,
    TOTALS,
    HISTORY,
    CHECK,
    VARIABLES
};

/* What the reading of the environment needs: too much for any stack. */
struct reading {
    char values[VARIABLES][VALUE_BYTES];
    char entry[NAME_BYTES + VALUE_BYTES];
    size_t entry_bytes;
    char piece[PIECE_BYTES];
};

/* Takes the value in "NAME=VALUE" where NAME is one of the variables; the first counts. */
static void take_value(struct variable *variables, const char *entry)
{
    for (int i = 0; i < VARIABLES; i++) {
        size_t length = strlen(variables[i].name);
        if (variables[i].given || strncmp(entry, variables[i].name, length) != 0 ||
            entry[length] != '=')
            continue;
        size_t bytes = strnlen(entry + length + 1, VALUE_BYTES - 1);
        memcpy(variables[i].value, entry + length + 1, bytes);
        variables[i].value[bytes] = '\0';
        variables[i].given = true;
    }
}

/* Entries may be split between pieces. */
static void take_piece(struct variable *variables, struct reading *reading, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (reading->entry_bytes < sizeof(reading->entry) - 1)
            reading->entry[reading->entry_bytes++] = reading->piece[i];
        if (reading->piece[i] != '\0')
            continue;
        take_value(variables, reading->entry);
        memset(reading->entry, 0, reading->entry_bytes);
        reading->entry_bytes = 0;
    }
}

/* The dynamic linker allocates before libc has set `environ`. */
static void read_kernel_environment(struct variable *variables, struct reading *reading)
{
    int file = asnap_kernel_open("/proc/self/environ", O_RDONLY, 0);
    if (file < 0)
        return;
    for (;;) {
        long got = asnap_kernel_read(file, reading->piece, sizeof(reading->piece));
        if (got <= 0)
            break;
        take_piece(variables, reading, (size_t)got);
    }
    asnap_kernel_close(file);
}

static void read_environment(struct variable *variables, struct reading *reading)
{
    if (environ == NULL)
        read_kernel_environment(variables, reading);
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        take_value(variables, *entry);
}

static bool parse_frame_limit(const char *value, uint32_t *frame_limit)
{
    uint64_t number;
    if (!asnap_parse_digits(value, value + strlen(value), &number) ||
        number > ASNAP_TABLE_FRAME_LIMIT_MAX)
        return false;
    *frame_limit = (uint32_t)number;
    return true;
}

static bool parse_bytes(const char *value, uint64_t *bytes)
{
    return asnap_parse_bytes(value, value + strlen(value), bytes);
}

static bool parse_memory(const char *value, uint64_t *bytes)
{
    uint64_t number;
    if (!parse_bytes(value, &number) || number < LEAST_MEMORY)
        return false;
    *bytes = number;
    return true;
}

static bool parse_period(const char *value, uint64_t *period)
{
    uint64_t number;
    if (!parse_bytes(value, &number) || number > ASNAP_TABLE_SAMPLE_PERIOD_MAX)
        return false;
    *period = number;
    return true;
}

static bool parse_freed(const char *value, uint64_t *blocks)
{
    uint64_t number;
    if (!asnap_parse_digits(value, value + strlen(value), &number) ||
        number > ASNAP_TABLE_FREED_MAX)
        return false;
    *blocks = number;
    return true;
}

static bool parse_switch(const char *value, bool *is_on)
{
    *is_on = value[0] == '1';
    return (value[0] == '0' || value[0] == '1') && value[1] == '\0';
}

/* Appends as much of `text` as fits, in printable characters, at most so many. */
static size_t append(char *line, size_t length, size_t room, const char *text, size_t most)
{
    for (size_t i = 0; text[i] != '\0' && i < most && length < room; i++)
        line[length++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    return length;
}

static void complain(const struct variable *variable)
{
    enum { SHOWN = 63 };
    char line[256];
    const size_t room = sizeof(line) - 1;
    size_t length = append(line, 0, room, "allocsnap: ", room);
    length = append(line, length, room, variable->name, room);
    length = append(line, length, room, "=", room);
    length = append(line, length, room, variable->value, SHOWN);
    if (strlen(variable->value) > SHOWN)
        length = append(line, length, room, "...", room);
    length = append(line, length, room, ": not ", room);
    length = append(line, length, room, variable->wanted, room);
    length = append(line, length, room, "; not tracing", room);
    line[length++] = '\n';
    asnap_kernel_write(STDERR_FILENO, line, length);
}

/* False: the value is bad, or too long to have been kept whole. */
static bool take_setting(int which, const char *value, struct asnap_settings *settings)
{
    if (strlen(value) >= PATH_BYTES)
        return false;
    switch (which) {
    case FRAME_LIMIT:
        return parse_frame_limit(value, &settings->frame_limit);
    case MAX_MEMORY:
        return parse_memory(value, &settings->max_memory);
    case SAMPLE:
        return parse_period(value, &settings->sample_period);
    case SAMPLE_SEED:
        settings->has_sample_seed = true;
        return asnap_parse_digits(value, value + strlen(value), &settings->sample_seed);
    case WATCH:
        return asnap_watch_parse(value, settings->limits);
    case WATCH_ACTION:
        return asnap_watch_parse_action(value, &settings->action);
    case FREED:
        return parse_freed(value, &settings->freed);
    case TOTALS:
        return parse_switch(value, &settings->totals);
    case HISTORY:
        return parse_switch(value, &settings->history);
    default:
        return asnap_walk_check_into(value);
    }
}

static void read_settings(struct reading *reading, struct asnap_settings *settings)
{
    struct variable variables[VARIABLES] = {
        [FRAME_LIMIT] = {"ALLOCSNAP",
                         "a frame limit from 1 to 65535 (or 0 to wait for the debugger)",
                         reading->values[FRAME_LIMIT], false},
        [MAX_MEMORY] = {"ALLOCSNAP_MAX_MEMORY",
                        "a number of bytes from 1M on (with K, M or G behind it)",
                        reading->values[MAX_MEMORY], false},
        [SAMPLE] = {"ALLOCSNAP_SAMPLE",
                    "a number of bytes up to 1024G (with K, M or G behind it), one block for each "
                    "so many (or 0 for every block)",
                    reading->values[SAMPLE], false},
        [SAMPLE_SEED] = {"ALLOCSNAP_SAMPLE_SEED", "a number", reading->values[SAMPLE_SEED], false},
        [WATCH] = {"ALLOCSNAP_WATCH",
                   "a number of bytes (with K, M or G behind it), cgroup-10%, block=BYTES, "
                   "count=BLOCKS or failed, or several between commas",
                   reading->values[WATCH], false},
        [WATCH_ACTION] = {"ALLOCSNAP_WATCH_ACTION", "abort, stop, report or debugger",
                          reading->values[WATCH_ACTION], false},
        [FREED] = {"ALLOCSNAP_FREED", "a number of freed blocks to keep, up to 16777216 (or 0)",
                   reading->values[FREED], false},
        [TOTALS] = {"ALLOCSNAP_TOTALS", "1 to count all that is allocated (or 0)",
                    reading->values[TOTALS], false},
        [HISTORY] = {"ALLOCSNAP_HISTORY", "1 to keep how much was traced over the time (or 0)",
                     reading->values[HISTORY], false},
        [CHECK] = {"ALLOCSNAP_CHECK",
                   "a file that can be written, in a program with libgcc to compare with",
                   reading->values[CHECK], false},
    };
    bool good = true;
    read_environment(variables, reading);
    for (int i = 0; i < VARIABLES; i++) {
        if (variables[i].value[0] == '\0' || take_setting(i, variables[i].value, settings))
            continue;
        complain(&variables[i]);
        good = false;
    }
    if (!good)
        settings->frame_limit = 0;
}

/* The kernel gives each program that it starts 16 random bytes (getauxval(3)). */
static uint64_t random_seed(void)
{
    const void *bytes = (const void *)getauxval(AT_RANDOM);
    uint64_t seed = 0;
    if (bytes != NULL)
        memcpy(&seed, bytes, sizeof(seed));
    return seed;
}

struct asnap_settings asnap_settings_read(void)
{
    struct asnap_settings settings = {
        .max_memory = UINT64_MAX,
        .sample_seed = random_seed(),
        .action = ASNAP_TABLE_WATCH_ABORT,
    };
    if (getauxval(AT_SECURE) == 0) {
        struct reading *reading = asnap_pages_map(sizeof(*reading));
        settings.frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT;
        if (reading != NULL)
            read_settings(reading, &settings);
        else
            settings.frame_limit = 0;
        asnap_pages_unmap(reading, sizeof(*reading));
    }
    return settings;
}
