/* The writers of the table from many threads at once. Built once more with the thread
 * sanitizer, by itself. ALLOCSNAP_THREAD_ROUNDS multiplies the work. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "module_list.h"
#include "own_table.h"
#include "pages.h"
#include "records.h"
#include "root.h"
#include "sample_filter.h"
#include "stacks.h"
#include "thread_numbers.h"
#include "traced.h"
#include "unit.h"

enum { THREADS = 8, ROUNDS = 20000, BLOCK = 48 };

static long rounds(void)
{
    const char *factor = getenv("ALLOCSNAP_THREAD_ROUNDS");
    return factor == NULL ? ROUNDS : ROUNDS * strtol(factor, NULL, 10);
}

struct worker {
    pthread_t thread;
    unsigned number;
    unsigned seed;
    uint32_t stack;
    long wrong;
};

static struct worker workers[THREADS];

static void run_workers(void *(*work)(void *))
{
    uint64_t frame = 0x4000;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i, .seed = i + 1, .stack = stack};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(pthread_join(workers[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(workers[i].wrong, 0);
    }
}

static uint64_t peak(void)
{
    return __atomic_load_n(&allocsnap_root.peak_bytes, __ATOMIC_RELAXED);
}

/* What the records say, and whether the shards say the same. */
static uint64_t count_records(uint64_t *live)
{
    uint64_t sum = 0;
    *live = 0;
    for (uint32_t s = 0; s < ASNAP_TABLE_SHARDS; s++) {
        const struct asnap_table_shard *shard = &allocsnap_root.shards[s];
        const uint64_t *chunks = (const uint64_t *)(uintptr_t)shard->chunks;
        uint64_t size = 0;
        uint64_t count = 0;
        for (uint32_t i = 0; i < shard->used; i++) {
            const struct asnap_table_record *chunk =
                (const void *)(uintptr_t)chunks[i / ASNAP_TABLE_CHUNK_RECORDS];
            const struct asnap_table_record *record = &chunk[i % ASNAP_TABLE_CHUNK_RECORDS];
            count += record->key != 0;
            size += record->key != 0 ? asnap_table_extent_size(record->extent) : 0;
        }
        CU_ASSERT_EQUAL(shard->count, count);
        CU_ASSERT_EQUAL(shard->size, size);
        CU_ASSERT_EQUAL(shard->lock, 0);
        sum += size;
        *live += count;
    }
    return sum;
}

/* Of peak and slack: what the lanes hold is what lies between the total and the peak. */
static uint64_t slack(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ASNAP_TRACED_LANES; i++)
        sum += asnap_traced_lanes[i].word & ASNAP_TRACED_SLACK;
    return sum;
}

static void expect_consistent(void)
{
    uint64_t live;
    uint64_t total = count_records(&live);
    CU_ASSERT_EQUAL(peak(), total + slack());
    asnap_traced_reset_peak();
    CU_ASSERT_EQUAL(peak(), total);
    CU_ASSERT_EQUAL(slack(), 0);
}

/* A block of this worker's, or one that all of them use. */
static uint64_t some_block(struct worker *worker)
{
    unsigned block = (unsigned)rand_r(&worker->seed) % 4000;
    uint64_t owner = rand_r(&worker->seed) % 2 == 0 ? worker->number : THREADS;
    return 0x700000000000 + (owner << 32) + block * (uint64_t)BLOCK;
}

/* Another worker may have a block there. */
static bool is_in(enum asnap_inserted inserted)
{
    return inserted == ASNAP_INSERTED || inserted == ASNAP_REPLACED;
}

static void *insert_and_remove(void *argument)
{
    struct worker *worker = argument;
    struct asnap_removed removed;
    for (long i = 0; i < rounds(); i++) {
        uint64_t block = some_block(worker);
        uint64_t size = (uint64_t)rand_r(&worker->seed) % 1000;
        if (rand_r(&worker->seed) % 2 == 0)
            worker->wrong += !is_in(asnap_records_insert(block, size, worker->stack));
        else if (asnap_records_remove(block, &removed) && rand_r(&worker->seed) % 4 == 0)
            worker->wrong +=
                !is_in(asnap_records_put_back(block, &removed, ASNAP_TABLE_TRACING_ALL));
    }
    return NULL;
}

ASNAP_TEST(table_threads, count_exactly)
{
    own_table_open();
    run_workers(insert_and_remove);
    expect_consistent();
    asnap_records_clear();
    CU_ASSERT_EQUAL(peak(), 0);
}

/* ---- of a sample ---- */

/* A worker's own blocks are not missed by who looks for their records, whatever others do. */
static void *insert_and_remove_sampled(void *argument)
{
    struct worker *worker = argument;
    struct asnap_removed removed;
    for (long i = 0; i < rounds(); i++) {
        uint64_t block = some_block(worker);
        bool is_own = block >> 32 == (UINT64_C(0x700000000000) >> 32) + worker->number;
        uint64_t size = (uint64_t)rand_r(&worker->seed) % 1000;
        if (rand_r(&worker->seed) % 2 == 0) {
            worker->wrong +=
                !is_in(asnap_records_insert_sampled(block, size, worker->stack, OWN_TABLE_SAMPLE));
            worker->wrong += is_own && !asnap_filter_has(block);
        } else if (asnap_records_remove_sampled(block, &removed) &&
                   rand_r(&worker->seed) % 4 == 0) {
            worker->wrong += !is_in(asnap_records_put_back(block, &removed, OWN_TABLE_SAMPLE));
            worker->wrong += is_own && !asnap_filter_has(block);
        }
    }
    return NULL;
}

ASNAP_TEST(table_threads, estimate_exactly_what_they_sample)
{
    uint64_t live;
    own_table_open();
    own_table_sample(500);
    run_workers(insert_and_remove_sampled);
    count_records(&live);
    CU_ASSERT(live > 0);
    CU_ASSERT_TRUE(own_table_sample_agrees(true));
    CU_ASSERT(peak() >= allocsnap_root.estimated_size);
    asnap_records_reset_peak();
    CU_ASSERT_EQUAL(peak(), allocsnap_root.estimated_size);
    asnap_records_clear();
    CU_ASSERT_TRUE(own_table_sample_agrees(true));
    CU_ASSERT_EQUAL(allocsnap_root.estimated_size, 0);
    CU_ASSERT_EQUAL(peak(), 0);
    /* What was decided for a sample is not recorded once there is another. */
    allocsnap_root.applied.tracing = OWN_TABLE_SAMPLE + 1;
    CU_ASSERT_EQUAL(asnap_records_insert_sampled(0x700000000000, 8, 0, OWN_TABLE_SAMPLE),
                    ASNAP_INSERTED);
    CU_ASSERT_EQUAL(asnap_records_insert(0x700000000000, 8, 0), ASNAP_INSERTED);
    count_records(&live);
    CU_ASSERT_EQUAL(live, 0);
    own_table_open();
}

static void *clear_meanwhile(void *argument)
{
    struct worker *worker = argument;
    if (worker->number > 1)
        return insert_and_remove(argument);
    for (long i = 0; i < rounds() / 200; i++) {
        if (worker->number == 0)
            asnap_records_clear();
        else
            asnap_traced_reset_peak();
        sched_yield();
    }
    return NULL;
}

ASNAP_TEST(table_threads, are_cleared_meanwhile)
{
    own_table_open();
    run_workers(clear_meanwhile);
    expect_consistent();
    asnap_records_clear();
    CU_ASSERT_EQUAL(peak(), 0);
}

/* ---- the peak ---- */

enum { FILL = 3000 };
static pthread_barrier_t barrier;

static uint64_t fill_block(const struct worker *worker, long i)
{
    return 0x600000000000 + ((uint64_t)worker->number << 32) + (uint64_t)i * BLOCK;
}

/* All fill up, free most of it, some of it each other's, and fill up again. */
static void *fill_up(void *argument)
{
    struct worker *worker = argument;
    const struct worker *next = &workers[(worker->number + 1) % THREADS];
    for (long i = 0; i < FILL; i++)
        asnap_records_insert(fill_block(worker, i), (uint64_t)i, worker->stack);
    pthread_barrier_wait(&barrier);
    worker->wrong += peak() != (uint64_t)THREADS * FILL * (FILL - 1) / 2;
    pthread_barrier_wait(&barrier);
    for (long i = 1; i < FILL; i++)
        worker->wrong += !asnap_records_remove(fill_block(next, i), NULL);
    for (long i = 1; i < FILL; i++)
        asnap_records_insert(fill_block(worker, i + FILL), (uint64_t)i, worker->stack);
    pthread_barrier_wait(&barrier);
    worker->wrong += peak() != (uint64_t)THREADS * FILL * (FILL - 1) / 2;
    pthread_barrier_wait(&barrier);
    asnap_records_insert(fill_block(worker, 2 * FILL), 1, worker->stack);
    pthread_barrier_wait(&barrier);
    worker->wrong += peak() != (uint64_t)THREADS * (FILL * (FILL - 1) / 2 + 1);
    return NULL;
}

ASNAP_TEST(table_threads, raise_the_peak_by_what_is_missing)
{
    own_table_open();
    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    run_workers(fill_up);
    pthread_barrier_destroy(&barrier);
    expect_consistent();
    asnap_records_clear();
}

/* There are fewer tokens than threads, and who has a block has a token. So the peak never is
 * more than all tokens' blocks, whoever frees whose. Some threads only take blocks, so that
 * they always look for slack, some only free theirs, some keep a block for a moment. */
enum { TOKENS = 3, TOKEN_BYTES = 1000, SLOTS = 4 };
static sem_t tokens;
static uint64_t slots[SLOTS]; /* blocks that are left to be freed; 0: none */
static int takers;

static void leave_block(uint64_t block)
{
    for (size_t i = 0;; i = (i + 1) % SLOTS) {
        uint64_t none = 0;
        if (__atomic_compare_exchange_n(&slots[i], &none, block, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return;
    }
}

static void *free_blocks(struct worker *worker)
{
    for (;;) {
        bool last = __atomic_load_n(&takers, __ATOMIC_ACQUIRE) == 0;
        for (size_t i = 0; i < SLOTS; i++) {
            uint64_t block = __atomic_exchange_n(&slots[i], 0, __ATOMIC_ACQ_REL);
            if (block == 0)
                continue;
            worker->wrong += !asnap_records_remove(block, NULL);
            sem_post(&tokens);
        }
        if (last)
            return NULL;
        sched_yield();
    }
}

static void *pass_tokens(void *argument)
{
    struct worker *worker = argument;
    if (worker->number % 4 == 1)
        return free_blocks(worker);
    for (long i = 0; i < rounds(); i++) {
        uint64_t block = fill_block(worker, i);
        while (sem_wait(&tokens) != 0)
            continue;
        asnap_records_insert(block, TOKEN_BYTES, worker->stack);
        if (worker->number % 4 == 0) {
            leave_block(block);
        } else {
            if (i % 4 == 0)
                sched_yield();
            worker->wrong += !asnap_records_remove(block, NULL);
            sem_post(&tokens);
        }
    }
    __atomic_fetch_sub(&takers, 1, __ATOMIC_RELEASE);
    return NULL;
}

ASNAP_TEST(table_threads, never_overstate_the_peak)
{
    own_table_open();
    takers = THREADS - THREADS / 4;
    CU_ASSERT_EQUAL_FATAL(sem_init(&tokens, 0, TOKENS), 0);
    run_workers(pass_tokens);
    CU_ASSERT(peak() <= TOKENS * TOKEN_BYTES);
    CU_ASSERT(peak() >= TOKEN_BYTES);
    sem_destroy(&tokens);
    expect_consistent();
    CU_ASSERT_EQUAL(peak(), 0);
    asnap_records_clear();
}

/* Sizes change, so that slack of one lane is taken for the blocks of another in parts. */
static void *keep_to_a_share(void *argument)
{
    struct worker *worker = argument;
    uint64_t block = fill_block(worker, 0);
    for (long i = 0; i < rounds(); i++) {
        uint64_t size = 1 + (uint64_t)rand_r(&worker->seed) % TOKEN_BYTES;
        asnap_records_insert(block, size, worker->stack);
        asnap_records_remove(block, NULL);
    }
    return NULL;
}

ASNAP_TEST(table_threads, keep_the_peak_below_their_shares)
{
    own_table_open();
    run_workers(keep_to_a_share);
    CU_ASSERT(peak() <= THREADS * TOKEN_BYTES);
    expect_consistent();
    CU_ASSERT_EQUAL(peak(), 0);
    asnap_records_clear();
}

/* ---- what all threads share ---- */

enum { STACKS = 30000, MODULES = 300 };

static uint32_t stacks[THREADS][STACKS];
static uint32_t modules[THREADS][MODULES];

static void *share(void *argument)
{
    struct worker *worker = argument;
    char path[] = "/lib/000";
    uint32_t number = asnap_thread_number();
    for (uint32_t i = 0; i < STACKS; i++) {
        uint64_t frames[2] = {0xa00000u + i, 0xb00000u + i / 100};
        stacks[worker->number][i] = asnap_stacks_intern(frames, 2, 7);
    }
    for (uint32_t i = 0; i < MODULES; i++) {
        struct asnap_table_module module = {.start = 0x1000 * (uint64_t)(i + 1),
                                            .end = 0x1000 * (uint64_t)(i + 2)};
        path[5] = (char)('0' + i % 10);
        modules[worker->number][i] = asnap_module_list_add(&module, path);
    }
    worker->wrong += number == 0 || asnap_thread_number() != number;
    workers[worker->number].stack = number;
    return NULL;
}

ASNAP_TEST(table_threads, share_stacks_and_modules)
{
    own_table_open();
    uint32_t nodes = allocsnap_root.node_count;
    uint32_t first_thread = allocsnap_root.thread_count;
    uint32_t first_module = allocsnap_root.module_count;
    run_workers(share);
    for (size_t i = 1; i < THREADS; i++) {
        CU_ASSERT_EQUAL(memcmp(stacks[0], stacks[i], sizeof(stacks[0])), 0);
        CU_ASSERT_EQUAL(memcmp(modules[0], modules[i], sizeof(modules[0])), 0);
        CU_ASSERT_NOT_EQUAL(workers[i].stack, workers[0].stack);
    }
    CU_ASSERT(allocsnap_root.node_count >= nodes + STACKS + STACKS / 100);
    CU_ASSERT(allocsnap_root.node_count <= nodes + STACKS + STACKS / 100 + 2);
    CU_ASSERT_EQUAL(allocsnap_root.thread_count - first_thread, THREADS);
    CU_ASSERT_EQUAL(allocsnap_root.module_count - (first_module == 0 ? 1 : first_module), MODULES);
}

/* ---- the limit of memory ---- */

static uint64_t limit;

static void *map_much(void *argument)
{
    struct worker *worker = argument;
    for (long i = 0; i < rounds() / 20; i++) {
        void *pages = asnap_pages_map(3 * 4096);
        worker->wrong += __atomic_load_n(&allocsnap_root.tracker_bytes, __ATOMIC_RELAXED) > limit;
        asnap_pages_unmap(pages, 3 * 4096);
    }
    return NULL;
}

ASNAP_TEST(table_threads, keep_to_the_limit_of_memory)
{
    own_table_open();
    uint64_t before = allocsnap_root.tracker_bytes;
    limit = before + 10 * 4096;
    asnap_pages_set_limit(limit);
    run_workers(map_much);
    CU_ASSERT_PTR_NULL(asnap_pages_map(11 * 4096));
    CU_ASSERT_EQUAL(allocsnap_root.tracker_bytes, before);
    asnap_pages_set_limit(UINT64_MAX);
}
