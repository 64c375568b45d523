#include "reached.h"

#include <string.h>
#include <unistd.h>

#include "deferred.h"
#include "interpose.h"
#include "kernel.h"
#include "watch.h"

void allocsnap_watch_reached(void);

/* Where a debugger has a breakpoint. It must be called, and be there for the call. */
ASNAP_EXPORT void allocsnap_watch_reached(void)
{
    __asm__ volatile("" ::: "memory");
}

static bool leave(uint32_t kind)
{
    struct asnap_deferred *deferred = asnap_deferred_create(ASNAP_DEFERRED_WATCH, kind);
    if (deferred == NULL)
        return false;
    asnap_deferred_push(deferred);
    return true;
}

void asnap_reached_init(void)
{
    asnap_watch_leave = leave;
}

/* ---- the line ---- */

static void add_text(char *line, size_t *length, const char *text)
{
    for (; *text != '\0' && *length < ASNAP_REACHED_LINE - 2; text++)
        line[(*length)++] = *text;
}

static void add_number(char *line, size_t *length, uint64_t number, const char *unit)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    add_text(line, length, digits + at);
    add_text(line, length, unit);
}

size_t asnap_reached_line(char *line, enum asnap_table_watch_kind kind,
                          const struct asnap_table_reached *reached, bool is_sample,
                          const char *then)
{
    static const char *const begins[ASNAP_TABLE_WATCH_KINDS] = {
        [ASNAP_TABLE_WATCH_SIZE] = "the heap passed ",
        [ASNAP_TABLE_WATCH_BLOCK] = "a request of ",
        [ASNAP_TABLE_WATCH_COUNT] = "the heap passed ",
        [ASNAP_TABLE_WATCH_FAILED] = "a request got no memory: ",
    };
    bool is_request = kind == ASNAP_TABLE_WATCH_BLOCK || kind == ASNAP_TABLE_WATCH_FAILED;
    size_t length = 0;
    add_text(line, &length, "allocsnap: ");
    add_text(line, &length, begins[kind]);
    add_number(line, &length, is_request ? reached->request : reached->limit,
               kind == ASNAP_TABLE_WATCH_COUNT ? " blocks" : " bytes");
    add_text(line, &length, is_sample ? ": about " : ": ");
    add_number(line, &length, reached->size, " bytes in ");
    add_number(line, &length, reached->count, " blocks, thread ");
    add_number(line, &length, reached->thread, then);
    line[length++] = '\n';
    return length;
}

/* ---- telling ---- */

static bool is_sample(void)
{
    return asnap_root_sample_period() != 0;
}

static void count(struct asnap_table_reached *reached, bool sets_size)
{
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        const struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        blocks += __atomic_load_n(&shard->count, __ATOMIC_RELAXED);
        bytes += __atomic_load_n(&shard->size, __ATOMIC_RELAXED);
    }
    if (is_sample()) {
        bytes = __atomic_load_n(&allocsnap_root.estimated_size, __ATOMIC_RELAXED);
        blocks = __atomic_load_n(&allocsnap_root.estimated_count, __ATOMIC_RELAXED) >>
                 ASNAP_TABLE_ESTIMATE_BITS;
    }
    reached->count = blocks;
    if (sets_size)
        reached->size = bytes;
}

static void write_lines(uint32_t kinds, const char *then)
{
    char line[ASNAP_REACHED_LINE];
    for (uint32_t kind = 0; kind < ASNAP_TABLE_WATCH_KINDS; kind++) {
        const struct asnap_table_reached *reached = &asnap_root_and_watch.watch.reached[kind];
        if ((kinds >> kind & 1) != 0)
            asnap_kernel_write(STDERR_FILENO, line,
                               asnap_reached_line(line, kind, reached, is_sample(), then));
    }
}

void asnap_reached_tell(uint32_t kinds)
{
    struct asnap_table_watch *watch = &asnap_root_and_watch.watch;
    for (uint32_t kind = 0; kind < ASNAP_TABLE_WATCH_KINDS; kind++) {
        struct asnap_table_reached *reached = &watch->reached[kind];
        if ((kinds >> kind & 1) == 0)
            continue;
        count(reached, kind == ASNAP_TABLE_WATCH_BLOCK || kind == ASNAP_TABLE_WATCH_FAILED);
        __atomic_store_n(&reached->times, reached->times + 1, __ATOMIC_RELEASE);
    }
    allocsnap_watch_reached();
    switch (__atomic_load_n(&watch->action, __ATOMIC_RELAXED)) {
    case ASNAP_TABLE_WATCH_REPORT:
        write_lines(kinds, "");
        break;
    case ASNAP_TABLE_WATCH_STOP:
        write_lines(kinds, "; the process stops (SIGSTOP)");
        asnap_kernel_stop();
        break;
    case ASNAP_TABLE_WATCH_ABORT:
        write_lines(kinds, "; the process ends (SIGABRT)");
        asnap_kernel_abort();
    default:
        break;
    }
}
