/* Blocks that a handler takes while it has interrupted a hook of its thread, and that another
 * thread is handed before the hook comes on: it frees them, resizes them, has them again, forks
 * with them. The processor's trap flag (x86-64) brings the handler to each instruction of a malloc;
 * at one it takes blocks, and at a later one it hands them on and waits until the other thread is
 * done. On other processors it is done after the malloc. The program looks at the table of the
 * hooks itself, and says what is wrong there. The allocator is libsafealloc.c.
 *
 *     handed_on FIRST STRIDE BLOCKS
 *
 * takes so many blocks at the instructions FIRST, FIRST + STRIDE and so on. Prints how often they
 * were handed on before the malloc had ended. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "allocsnap_hooks.h"
#include "allocsnap_table.h"

enum {
    OWN = 20,
    TAKEN = 48,
    AGAIN = 60,
    RESIZED = 72,
    TOO_MUCH = 1 << 20, /* for the allocator */
    POOL = 7,           /* the domain of what the handler tells of */
    TAKE_UNTIL = 700,
    HAND_WITHIN = 1500,
    TAKE_STEPS_MAX = 20000,
    FORK_EACH = 16,
    BLOCKS_MAX = 200,
};

/* What the other thread does with each block. */
enum act {
    KEEP,
    FREE,
    HAVE_AGAIN,
    RESIZE,
    FAIL_TO_RESIZE,
    TELL_AGAIN,
    TELL_NO_MORE,
    FORK,
};

extern struct asnap_table_root allocsnap_table __attribute__((weak));

static long steps;
static long take_at;
static long hand_at;
static enum act act;
static char *blocks[BLOCKS_MAX];
static char *resized[BLOCKS_MAX];
static int count;
static volatile bool is_taken;
static volatile bool is_handed;
static volatile bool asked;   /* by the main thread, of the other */
static volatile bool is_done; /* by the other, for the main one */
static int wrong;

/* ---- the table ---- */

static bool has_table(void)
{
    return &allocsnap_table != NULL;
}

/* No lock is held that the other thread would wait for. */
static bool is_at_rest(void)
{
    for (uint32_t i = 0; has_table() && i < ASNAP_TABLE_SHARDS; i++)
        if (__atomic_load_n(&allocsnap_table.shards[i].lock, __ATOMIC_RELAXED) != 0)
            return false;
    return true;
}

/* The number of records of this address, and the size in the last one. */
static int records_of(const char *address, uint64_t *size)
{
    uint64_t wanted = (uintptr_t)address;
    const struct asnap_table_shard *shard = &allocsnap_table.shards[asnap_table_shard_of(wanted)];
    int found = 0;
    uint64_t count = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < shard->used; i++) {
        const uint64_t *chunks = (const uint64_t *)(uintptr_t)shard->chunks;
        const struct asnap_table_record *record =
            (const struct asnap_table_record *)(uintptr_t)chunks[i / ASNAP_TABLE_CHUNK_RECORDS] +
            i % ASNAP_TABLE_CHUNK_RECORDS;
        uint64_t bytes = asnap_table_extent_size(record->extent);
        if (record->key == 0)
            continue;
        count++;
        sum += bytes;
        if (asnap_table_key_address(record->key) == wanted) {
            found++;
            *size = bytes;
        }
    }
    return count == shard->count && sum == shard->size ? found : -1;
}

/* `size`: what is to be recorded of it; 0: nothing. */
static void expect(const char *address, uint64_t size)
{
    uint64_t recorded = 0;
    if (!has_table())
        return;
    int found = records_of(address, &recorded);
    if (found == (size != 0) && recorded == size)
        return;
    wrong++;
    fprintf(stderr, "act %d, taken at %ld, handed on at %ld: %d records, %d bytes and not %d\n",
            (int)act, take_at, hand_at, found, (int)recorded, (int)size);
}

/* ---- the other thread ---- */

static bool child_agrees(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        wrong = 0;
        free(malloc(1)); /* the table is mended by the first call */
        for (int i = 0; i < count; i++) {
            expect(blocks[i], TAKEN);
            free(blocks[i]);
            expect(blocks[i], 0);
        }
        _exit(wrong != 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void do_act(int i)
{
    char *block = blocks[i];
    switch (act) {
    case FREE:
        free(block);
        break;
    case HAVE_AGAIN:
        free(block);
        if (malloc(AGAIN) != block)
            abort();
        break;
    case RESIZE:
        resized[i] = realloc(block, RESIZED);
        if (resized[i] == NULL || strcmp(resized[i], "taken") != 0)
            abort();
        break;
    case FAIL_TO_RESIZE:
        if (realloc(block, TOO_MUCH) != NULL)
            abort();
        break;
    case TELL_AGAIN:
        allocsnap_track(POOL, (uintptr_t)block, AGAIN);
        break;
    case TELL_NO_MORE:
        allocsnap_untrack(POOL, (uintptr_t)block);
        break;
    default:
        break;
    }
}

static void *help(void *argument)
{
    for (;;) {
        while (!__atomic_exchange_n(&asked, false, __ATOMIC_ACQUIRE))
            sched_yield();
        if (act == FORK)
            wrong += !child_agrees();
        for (int i = 0; i < count; i++)
            do_act(i);
        __atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
    }
    return argument;
}

/* ---- the thread with the handler ---- */

static bool is_pool(void)
{
    return act == TELL_AGAIN || act == TELL_NO_MORE;
}

static void take(void)
{
    static char pool[BLOCKS_MAX][16];
    is_taken = true;
    for (int i = 0; i < count; i++) {
        if (is_pool()) {
            blocks[i] = pool[i];
            allocsnap_track(POOL, (uintptr_t)pool[i], TAKEN);
        } else {
            blocks[i] = malloc(TAKEN);
            strcpy(blocks[i], "taken");
        }
    }
}

static void hand_on(void)
{
    is_handed = true;
    __atomic_store_n(&asked, true, __ATOMIC_RELEASE);
    while (!__atomic_exchange_n(&is_done, false, __ATOMIC_ACQUIRE))
        sched_yield();
}

#if defined(__x86_64__)
#define TRAP_FLAG 0x100

static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    steps++;
    if (steps >= take_at && !is_taken && is_at_rest()) {
        take();
    } else if (steps >= hand_at && is_taken && is_at_rest()) {
        hand_on();
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    }
}

static void set_trap_flag(bool is_set)
{
    if (is_set)
        __asm__ volatile("subq $128, %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
                         "addq $128, %%rsp" ::
                             : "memory", "cc");
    else
        __asm__ volatile("subq $128, %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
                         "addq $128, %%rsp" ::
                             : "memory", "cc");
}
#else
static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
}

static void set_trap_flag(bool is_set)
{
    (void)is_set;
}
#endif

/* `own`: what the malloc that was interrupted has got, which may have been a block before. */
static void check(int i, const char *own)
{
    static const uint64_t sizes[] = {
        [KEEP] = TAKEN,       [HAVE_AGAIN] = AGAIN, [RESIZE] = RESIZED, [FAIL_TO_RESIZE] = TAKEN,
        [TELL_AGAIN] = AGAIN, [TELL_NO_MORE] = 0,   [FORK] = TAKEN,
    };
    char *block = act == RESIZE ? resized[i] : blocks[i];
    if (act != FREE)
        expect(block, sizes[act]);
    if (is_pool())
        allocsnap_untrack(POOL, (uintptr_t)block);
    else if (act != FREE)
        free(block);
    expect(block, block == own ? OWN : 0);
    /* Of several, the next one may have been moved there. */
    if (block != blocks[i] && count == 1)
        expect(blocks[i], blocks[i] == own ? OWN : 0);
}

/* Whether the blocks were handed on before the malloc had ended. */
static bool try_once(void)
{
    steps = 0;
    is_taken = false;
    is_handed = false;
    set_trap_flag(true);
    void *own = malloc(OWN);
    set_trap_flag(false);
    bool was_within = is_handed;
    if (!is_taken)
        take();
    if (!is_handed)
        hand_on();
    for (int i = 0; i < count; i++)
        check(i, own);
    free(own);
    return was_within;
}

/* All that the other thread does is known to the hooks then. */
static void try_all(void)
{
    take_at = hand_at = TAKE_STEPS_MAX;
    for (act = 0; act <= FORK; act++)
        try_once();
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    long first = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
    long stride = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    pthread_t helper;
    count = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (first < 1 || stride < 1 || count < 1 || count > BLOCKS_MAX ||
        sigaction(SIGTRAP, &action, NULL) != 0 || pthread_create(&helper, NULL, help, NULL) != 0)
        return 2;
    try_all();
    long tries = 0;
    long within = 0;
    for (take_at = first; take_at < TAKE_UNTIL; take_at += stride) {
        bool was_within = true;
        for (hand_at = take_at + 1; was_within && hand_at < take_at + HAND_WITHIN;
             hand_at += 1 + stride / 4) {
            tries++;
            act = tries % FORK_EACH == 0 ? FORK : tries % FORK;
            was_within = try_once();
            within += was_within;
        }
    }
    if (has_table() && (allocsnap_table.dropped != 0 || allocsnap_table.refused != 0 ||
                        allocsnap_table.missed_frees != 0))
        wrong++;
    printf("%ld\n", within);
    fflush(stdout);
    _exit(wrong == 0 ? 0 : 1);
}
