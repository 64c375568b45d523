#include "watch_settings.h"

#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "memory_limit.h"
#include "numbers.h"

static bool begins_with(const char **text, const char *end, const char *begin)
{
    size_t length = strlen(begin);
    if ((size_t)(end - *text) < length || strncmp(*text, begin, length) != 0)
        return false;
    *text += length;
    return true;
}

static void say_no_limit(void)
{
    static const char line[] = "allocsnap: ALLOCSNAP_WATCH: no control group of this process has a "
                               "limit of its memory, so that none is watched\n";
    asnap_kernel_write(STDERR_FILENO, line, sizeof(line) - 1);
}

/* What comes after `cgroup`: nothing, or "-10%". */
static bool parse_groups(const char *text, const char *end, uint64_t *limit)
{
    uint64_t margin = 0;
    if (text != end && (!begins_with(&text, end, "-") || end == text || end[-1] != '%' ||
                        !asnap_parse_digits(text, end - 1, &margin) || margin > 99))
        return false;
    uint64_t most = asnap_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup");
    *limit = 0;
    if (most == UINT64_MAX) {
        say_no_limit();
        return true;
    }
    *limit = most - (uint64_t)((unsigned __int128)most * margin / 100);
    *limit += *limit == 0;
    return true;
}

static bool parse_one(const char *text, const char *end, uint64_t limits[ASNAP_TABLE_WATCH_KINDS])
{
    enum asnap_table_watch_kind kind = ASNAP_TABLE_WATCH_SIZE;
    uint64_t limit = 1;
    bool is_good = true;
    if (begins_with(&text, end, "cgroup")) {
        return limits[kind] == 0 && parse_groups(text, end, &limits[kind]);
    } else if (begins_with(&text, end, "block=")) {
        kind = ASNAP_TABLE_WATCH_BLOCK;
        is_good = asnap_parse_bytes(text, end, &limit);
    } else if (begins_with(&text, end, "count=")) {
        kind = ASNAP_TABLE_WATCH_COUNT;
        is_good = asnap_parse_digits(text, end, &limit);
    } else if (begins_with(&text, end, "failed")) {
        kind = ASNAP_TABLE_WATCH_FAILED;
        is_good = text == end;
    } else {
        is_good = asnap_parse_bytes(text, end, &limit);
    }
    if (!is_good || limit == 0 || limits[kind] != 0)
        return false;
    limits[kind] = limit;
    return true;
}

bool asnap_watch_parse(const char *value, uint64_t limits[ASNAP_TABLE_WATCH_KINDS])
{
    for (;;) {
        const char *end = strchr(value, ',');
        if (!parse_one(value, end != NULL ? end : value + strlen(value), limits))
            return false;
        if (end == NULL)
            return true;
        value = end + 1;
    }
}

bool asnap_watch_parse_action(const char *value, uint32_t *action)
{
    static const char *const names[] = {
        [ASNAP_TABLE_WATCH_CALL] = "debugger",
        [ASNAP_TABLE_WATCH_REPORT] = "report",
        [ASNAP_TABLE_WATCH_STOP] = "stop",
        [ASNAP_TABLE_WATCH_ABORT] = "abort",
    };
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        *action = i;
        return true;
    }
    return false;
}
