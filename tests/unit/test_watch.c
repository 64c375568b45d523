/* Limits of the heap: each is noticed at the block that reaches it, once. */
#include <pthread.h>
#include <string.h>

#include "own_table.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "thread_numbers.h"
#include "traced.h"
#include "unit.h"
#include "watch.h"

enum {
    SIZE = 1 << ASNAP_TABLE_WATCH_SIZE,
    BLOCK = 1 << ASNAP_TABLE_WATCH_BLOCK,
    COUNT = 1 << ASNAP_TABLE_WATCH_COUNT,
    FAILED = 1 << ASNAP_TABLE_WATCH_FAILED,
};

static uint32_t stack;

static void open_table(void)
{
    uint64_t frame = 0x4242;
    own_table_open();
    stack = asnap_stacks_intern(&frame, 1, 0);
}

static void watch(enum asnap_table_watch_kind kind, uint64_t limit)
{
    uint64_t limits[ASNAP_TABLE_WATCH_KINDS] = {0};
    limits[kind] = limit;
    own_table_watch(limits);
}

/* Blocks lie in MiBs of their own, so that all shards have some. */
static uint64_t address_of(uint32_t block)
{
    return UINT64_C(0x700000000000) + ((uint64_t)block << 20);
}

/* What was reached by a block. */
static uint32_t insert(uint32_t block, uint64_t size)
{
    CU_ASSERT(asnap_records_insert(address_of(block), size, stack) <= ASNAP_REPLACED);
    return own_table_see();
}

static void drop(uint32_t block)
{
    CU_ASSERT(asnap_records_remove(address_of(block), NULL));
    CU_ASSERT_EQUAL(own_table_see(), 0);
}

static const struct asnap_table_reached *reached(enum asnap_table_watch_kind kind)
{
    return &asnap_root_and_watch.watch.reached[kind];
}

ASNAP_TEST(watch, size_is_passed_once)
{
    open_table();
    watch(ASNAP_TABLE_WATCH_SIZE, 1000);
    CU_ASSERT_EQUAL(insert(1, 600), 0);
    CU_ASSERT_EQUAL(insert(2, 400), 0);
    CU_ASSERT_EQUAL(insert(3, 0), 0);
    CU_ASSERT_EQUAL(insert(4, 7), SIZE);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->limit, 1000);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->size, 1007);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->request, 7);
    CU_ASSERT_EQUAL(asnap_watch_limit(ASNAP_TABLE_WATCH_SIZE), 0);
    CU_ASSERT_EQUAL(insert(5, 5000), 0);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 6007);
}

/* The peak is above the limit, and what is traced below it. */
ASNAP_TEST(watch, size_below_the_peak)
{
    open_table();
    insert(1, 5000);
    insert(2, 300);
    drop(1);
    for (int again = 0; again < 3; again++) {
        watch(ASNAP_TABLE_WATCH_SIZE, 1000);
        CU_ASSERT_EQUAL(insert(3, 700), 0);
        drop(3);
        CU_ASSERT_EQUAL(insert(3, 500), 0);
        CU_ASSERT_EQUAL(insert(4, 200), 0);
        drop(3);
        CU_ASSERT_EQUAL(insert(3, 400), 0);
        CU_ASSERT_EQUAL(insert(5, 100), 0);
        CU_ASSERT_EQUAL(insert(6, 1), SIZE);
        CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->size, 1001);
        for (uint32_t block = 3; block <= 6; block++)
            drop(block);
        CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 5300);
    }
    asnap_traced_reset_peak();
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 300);
}

ASNAP_TEST(watch, size_with_resets_and_another_limit)
{
    open_table();
    insert(1, 5000);
    drop(1);
    watch(ASNAP_TABLE_WATCH_SIZE, 1000);
    insert(2, 900);
    asnap_traced_reset_peak();
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 900);
    CU_ASSERT_EQUAL(insert(3, 100), 0);
    watch(ASNAP_TABLE_WATCH_SIZE, 2000);
    CU_ASSERT_EQUAL(insert(4, 1000), 0);
    asnap_records_clear();
    CU_ASSERT_EQUAL(insert(5, 2000), 0);
    CU_ASSERT_EQUAL(insert(6, 1), SIZE);
    own_table_watch(NULL);
    CU_ASSERT_EQUAL(insert(7, 90000), 0);
}

/* One that is passed already is noticed at the next block that has a byte. */
ASNAP_TEST(watch, size_that_was_passed_before)
{
    open_table();
    insert(1, 5000);
    insert(2, 3000);
    drop(2);
    watch(ASNAP_TABLE_WATCH_SIZE, 1000);
    CU_ASSERT_EQUAL(insert(3, 0), 0);
    CU_ASSERT_EQUAL(insert(4, 1), SIZE);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->size, 5001);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 8000);
}

ASNAP_TEST(watch, size_is_passed_by_the_thread_that_does_it)
{
    enum { LANES = 5 };
    open_table();
    /* Each lane has slack of its own. */
    for (uint32_t lane = 0; lane < LANES; lane++) {
        asnap_thread_number_forget();
        insert(lane, 1000);
        drop(lane);
    }
    insert(10, 5000);
    drop(10);
    watch(ASNAP_TABLE_WATCH_SIZE, 100);
    for (uint32_t block = 0; block < 100; block++) {
        asnap_thread_number_forget();
        CU_ASSERT_EQUAL(insert(block, 1), 0);
    }
    asnap_thread_number_forget();
    CU_ASSERT_EQUAL(insert(100, 1), SIZE);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->size, 101);
}

ASNAP_TEST(watch, count_is_passed_once)
{
    for (uint64_t limit = 1; limit < 2000; limit += limit / 3 + 1) {
        open_table();
        insert(5000, 1);
        watch(ASNAP_TABLE_WATCH_COUNT, limit);
        for (uint32_t block = 1; block < limit; block++) {
            CU_ASSERT_EQUAL(insert(block, 1), 0);
            if (block % 7 == 0) {
                drop(block);
                CU_ASSERT_EQUAL(insert(block, 3), 0);
                CU_ASSERT_EQUAL(insert(block, 2), 0);
            }
        }
        CU_ASSERT_EQUAL(insert(6000, 1), COUNT);
        CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_COUNT)->limit, limit);
        CU_ASSERT_EQUAL(insert(6001, 1), 0);
        drop(6001);
    }
}

/* Of one shard, whose index grows meanwhile. */
ASNAP_TEST(watch, count_of_one_shard)
{
    enum { LIMIT = 5000 };
    open_table();
    watch(ASNAP_TABLE_WATCH_COUNT, LIMIT);
    for (uint32_t block = 0; block <= LIMIT; block++) {
        CU_ASSERT(asnap_records_insert(0x700000000000 + 16 * (uint64_t)block, 1, stack) ==
                  ASNAP_INSERTED);
        CU_ASSERT_EQUAL(own_table_see(), block == LIMIT ? COUNT : 0);
    }
    asnap_records_clear();
    watch(ASNAP_TABLE_WATCH_COUNT, 1);
    CU_ASSERT_EQUAL(insert(1, 1), 0);
    own_table_watch(NULL);
    CU_ASSERT_EQUAL(insert(2, 1), 0);
}

ASNAP_TEST(watch, requests)
{
    open_table();
    CU_ASSERT(asnap_watch_large(ASNAP_TABLE_SIZE_LIMIT - 1));
    CU_ASSERT_FALSE(asnap_watch_large(ASNAP_TABLE_SIZE_LIMIT));
    const uint64_t limits[ASNAP_TABLE_WATCH_KINDS] = {
        [ASNAP_TABLE_WATCH_BLOCK] = 64, [ASNAP_TABLE_WATCH_FAILED] = 1};
    own_table_watch(limits);
    CU_ASSERT_EQUAL(asnap_watch_large_bytes, 64);
    CU_ASSERT(asnap_watch_large(64));
    CU_ASSERT_EQUAL(own_table_see(), BLOCK);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_BLOCK)->request, 64);
    CU_ASSERT_EQUAL(asnap_watch_large_bytes, ASNAP_TABLE_SIZE_LIMIT);
    asnap_watch_failed(10);
    CU_ASSERT_EQUAL(own_table_see(), FAILED);
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_FAILED)->request, 10);
    asnap_watch_failed(10);
    CU_ASSERT_EQUAL(own_table_see(), 0);
    own_table_watch(limits);
    asnap_watch_failed(UINT64_MAX);
    CU_ASSERT_EQUAL(own_table_see(), BLOCK | FAILED);
    watch(ASNAP_TABLE_WATCH_BLOCK, UINT64_MAX);
    CU_ASSERT_EQUAL(asnap_watch_large_bytes, ASNAP_TABLE_SIZE_LIMIT);
    CU_ASSERT_FALSE(asnap_watch_large(ASNAP_TABLE_SIZE_LIMIT));
    CU_ASSERT_EQUAL(own_table_see(), 0);
    own_table_watch(NULL);
}

/* Each block is 1000 periods large, so that it is recorded for itself. */
ASNAP_TEST(watch, estimates_of_a_sample)
{
    enum { PERIOD = 100, LARGE = 1000 * PERIOD };
    open_table();
    own_table_sample(PERIOD);
    const uint64_t limits[ASNAP_TABLE_WATCH_KINDS] = {
        [ASNAP_TABLE_WATCH_SIZE] = 2 * LARGE, [ASNAP_TABLE_WATCH_COUNT] = 3};
    own_table_watch(limits);
    const uint32_t wanted[] = {0, 0, SIZE, COUNT, 0};
    for (uint32_t block = 0; block < 5; block++) {
        asnap_records_insert_sampled(address_of(block), LARGE, stack, OWN_TABLE_SAMPLE);
        CU_ASSERT_EQUAL(own_table_see(), wanted[block]);
    }
    CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->size, 3 * LARGE);
    asnap_records_clear();
}

/* Without memory to tell of it, it is reached by the next. */
static bool has_memory;

static bool leave_sometimes(uint32_t kind)
{
    (void)kind;
    return has_memory;
}

ASNAP_TEST(watch, without_memory_the_next_block_tells)
{
    open_table();
    watch(ASNAP_TABLE_WATCH_SIZE, 1000);
    asnap_watch_leave = leave_sometimes;
    has_memory = false;
    insert(1, 1001);
    CU_ASSERT_EQUAL(asnap_watch_limit(ASNAP_TABLE_WATCH_SIZE), 1000);
    has_memory = true;
    insert(2, 1);
    CU_ASSERT_EQUAL(asnap_watch_limit(ASNAP_TABLE_WATCH_SIZE), 0);
    own_table_watch(NULL);
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 200, STEPS = 50 };

static uint32_t told[ASNAP_TABLE_WATCH_KINDS];
static pthread_barrier_t barrier;

static void *grow(void *argument)
{
    uint32_t number = (uint32_t)(uintptr_t)argument;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        if (number == 0) {
            const uint64_t limits[ASNAP_TABLE_WATCH_KINDS] = {
                [ASNAP_TABLE_WATCH_SIZE] = THREADS * STEPS * 10 - 5,
                [ASNAP_TABLE_WATCH_COUNT] = THREADS * STEPS - 1};
            asnap_records_clear();
            own_table_watch(limits);
            memset(told, 0, sizeof(told));
        }
        pthread_barrier_wait(&barrier);
        for (uint32_t step = 0; step < STEPS; step++) {
            uint64_t address = address_of(number * STEPS + step);
            asnap_records_insert(address, 10, stack);
            uint32_t seen = own_table_see();
            for (int kind = 0; kind < ASNAP_TABLE_WATCH_KINDS; kind++)
                __atomic_fetch_add(&told[kind], seen >> kind & 1, __ATOMIC_RELAXED);
        }
        pthread_barrier_wait(&barrier);
        if (number == 0) {
            CU_ASSERT_EQUAL(told[ASNAP_TABLE_WATCH_SIZE], 1);
            CU_ASSERT_EQUAL(told[ASNAP_TABLE_WATCH_COUNT], 1);
            CU_ASSERT_EQUAL(reached(ASNAP_TABLE_WATCH_SIZE)->size, THREADS * STEPS * 10);
        }
    }
    return NULL;
}

/* Only the last of all blocks passes the limits, whichever thread's it is. */
ASNAP_TEST(watch, threads_reach_a_limit_once)
{
    pthread_t threads[THREADS];
    open_table();
    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, grow, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&barrier);
    own_table_watch(NULL);
    asnap_records_clear();
}
