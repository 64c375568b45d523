#include "freed.h"

#include "clock.h"
#include "pages.h"
#include "process.h"
#include "root.h"
#include "thread_numbers.h"

#define RING (&asnap_root_and_watch.freed)

/* A store that a reader may see at any instruction, after all stores before it. */
#define PUBLISH(PLACE, VALUE) __atomic_store_n(&(PLACE), (VALUE), __ATOMIC_RELEASE)

bool asnap_freed_is_on;

static struct asnap_table_freed_block *place_of(uint64_t number)
{
    struct asnap_table_freed_block *blocks =
        (struct asnap_table_freed_block *)(uintptr_t)RING->blocks;
    return &blocks[(number - 1) % RING->capacity];
}

bool asnap_freed_begin(uint64_t capacity)
{
    void *blocks = asnap_pages_map(capacity * sizeof(struct asnap_table_freed_block));
    if (blocks == NULL)
        return false;
    RING->blocks = (uint64_t)(uintptr_t)blocks;
    PUBLISH(RING->capacity, capacity);
    asnap_freed_is_on = true;
    return true;
}

/* Whether the calling thread has the place for itself: one that was held up for a whole round may
 * be there still, or come late. What another process was writing when this one was forked off is
 * not finished by anybody. */
static bool claim(struct asnap_table_freed_block *place, uint64_t number)
{
    const uint64_t busy = ASNAP_TABLE_FREED_BUSY | asnap_process.number;
    uint64_t was = __atomic_load_n(&place->number, __ATOMIC_RELAXED);
    do {
        if (was == busy || ((was & ASNAP_TABLE_FREED_BUSY) == 0 && was > number))
            return false;
    } while (!__atomic_compare_exchange_n(&place->number, &was, busy, false, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    return true;
}

uint64_t asnap_freed_put(uint64_t key, const struct asnap_removed *removed, uint32_t stack)
{
    uint64_t number = __atomic_add_fetch(&RING->count, 1, __ATOMIC_RELAXED);
    struct asnap_table_freed_block *place = place_of(number);
    if (!claim(place, number)) {
        __atomic_fetch_add(&RING->lost, 1, __ATOMIC_RELAXED);
        return 0;
    }
    /* A reader of a process that goes on may copy the place meanwhile. */
    PUBLISH(place->check, ~(uint32_t)number);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    place->key = key;
    place->extent = removed->size | (uint64_t)removed->thread << ASNAP_TABLE_SIZE_BITS;
    place->stack = removed->stack;
    place->time = removed->time;
    place->freed_stack = stack;
    place->freed_time = asnap_clock_now();
    place->freed_thread = asnap_thread_number();
    PUBLISH(place->check, (uint32_t)number);
    PUBLISH(place->number, number);
    return number;
}

void asnap_freed_take_back(uint64_t number)
{
    if (number == 0)
        return;
    __atomic_fetch_add(&RING->taken_back, 1, __ATOMIC_RELAXED);
    __atomic_compare_exchange_n(&place_of(number)->number, &(uint64_t){number}, 0, false,
                                __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

void asnap_freed_clear(void)
{
    __atomic_store_n(&RING->lost, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&RING->taken_back, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&RING->cleared, __atomic_load_n(&RING->count, __ATOMIC_RELAXED),
                     __ATOMIC_RELEASE);
}
