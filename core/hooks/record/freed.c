#include "freed.h"

#include <stddef.h>

#include "clock.h"
#include "pages.h"
#include "ring.h"
#include "root.h"
#include "thread_numbers.h"

#define RING (&asnap_root_and_watch.freed)

/* Blocks of other addresses that a search goes past at most. */
enum { SEARCH_MAX = 4096 };

bool asnap_freed_is_on;

/* Where an address is in the ring: by its hash the lower half of the number of the last block, and
 * by each block's place that of the one before. 0: none. */
static uint32_t *heads;
static uint32_t *befores;
static uint32_t head_bits;

/* The last block that was freed when one was allocated that is not recorded. */
static uint64_t doubtful;

static struct asnap_table_freed_block *place_of(uint64_t number)
{
    struct asnap_table_freed_block *blocks =
        (struct asnap_table_freed_block *)(uintptr_t)RING->blocks;
    return &blocks[(number - 1) % RING->capacity];
}

static uint32_t *before_of(uint64_t number)
{
    return &befores[(number - 1) % RING->capacity];
}

static uint32_t *head_of(uint64_t key)
{
    return &heads[(key >> 4 ^ key << 60) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - head_bits)];
}

bool asnap_freed_begin(uint64_t capacity)
{
    head_bits = 1;
    while ((UINT64_C(1) << head_bits) < capacity)
        head_bits++;
    const size_t index_bytes = (capacity + (UINT64_C(1) << head_bits)) * sizeof(*heads);
    const size_t bytes = capacity * sizeof(struct asnap_table_freed_block);
    void *blocks = asnap_pages_map(bytes);
    uint32_t *index = asnap_pages_map(index_bytes);
    if (blocks == NULL || index == NULL) {
        asnap_pages_unmap(blocks, bytes);
        asnap_pages_unmap(index, index_bytes);
        return false;
    }
    befores = index;
    heads = index + capacity;
    RING->blocks = (uint64_t)(uintptr_t)blocks;
    __atomic_store_n(&RING->capacity, capacity, __ATOMIC_RELEASE);
    asnap_freed_is_on = true;
    return true;
}

/* The number near another one that has this lower half: threads may change places. */
static uint64_t whole_number(uint64_t near, uint32_t lower)
{
    return near - (uint64_t)(int32_t)((uint32_t)near - lower);
}

/* Puts a block that is being written before all others of its hash. Behind it comes none of the
 * same address: that would be found first. */
static void add_to_index(uint64_t key, uint64_t number)
{
    uint32_t before = __atomic_exchange_n(head_of(key), (uint32_t)number, __ATOMIC_RELAXED);
    if (before != 0) {
        uint64_t last = whole_number(number, before);
        const struct asnap_table_freed_block *place = place_of(last);
        uint32_t further = __atomic_load_n(before_of(last), __ATOMIC_RELAXED);
        if (place->key == key && __atomic_load_n(&place->number, __ATOMIC_ACQUIRE) == last)
            before = further;
    }
    __atomic_store_n(before_of(number), before, __ATOMIC_RELAXED);
}

uint64_t asnap_freed_put(uint64_t key, const struct asnap_removed *removed, uint32_t stack)
{
    uint64_t number = __atomic_add_fetch(&RING->count, 1, __ATOMIC_RELAXED);
    struct asnap_table_freed_block *place = place_of(number);
    if (!asnap_ring_claim(&place->number, number)) {
        __atomic_fetch_add(&RING->lost, 1, __ATOMIC_RELAXED);
        return 0;
    }
    asnap_ring_open(&place->check, number);
    place->key = key;
    place->extent = removed->size | (uint64_t)removed->thread << ASNAP_TABLE_SIZE_BITS;
    place->stack = removed->stack;
    place->time = removed->time;
    place->freed_stack = stack;
    place->freed_time = asnap_clock_now();
    place->freed_thread = asnap_thread_number();
    add_to_index(key, number);
    asnap_ring_publish(&place->number, &place->check, number);
    return number;
}

void asnap_freed_take_back(uint64_t number)
{
    if (number == 0)
        return;
    __atomic_fetch_add(&RING->taken_back, 1, __ATOMIC_RELAXED);
    asnap_ring_take_back(&place_of(number)->number, number);
}

void asnap_freed_doubt(void)
{
    uint64_t count = __atomic_load_n(&RING->count, __ATOMIC_RELAXED);
    uint64_t before = __atomic_load_n(&doubtful, __ATOMIC_RELAXED);
    while (before < count && !__atomic_compare_exchange_n(&doubtful, &before, count, false,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

/* Copies a block. False: it is not whole, or not there any more. */
static bool copy(uint64_t number, struct asnap_table_freed_block *block)
{
    const struct asnap_table_freed_block *place = place_of(number);
    if (__atomic_load_n(&place->number, __ATOMIC_ACQUIRE) != number)
        return false;
    *block = *place;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&place->number, __ATOMIC_RELAXED) == number;
}

bool asnap_freed_find(uint64_t key, struct asnap_table_freed_block *block)
{
    uint32_t lower = __atomic_load_n(head_of(key), __ATOMIC_ACQUIRE);
    uint64_t number = __atomic_load_n(&RING->count, __ATOMIC_ACQUIRE);
    uint64_t oldest = number > RING->capacity ? number - RING->capacity : 0;
    uint64_t cleared = __atomic_load_n(&RING->cleared, __ATOMIC_RELAXED);
    uint64_t uncertain = __atomic_load_n(&doubtful, __ATOMIC_RELAXED);
    oldest = oldest < cleared ? cleared : oldest;
    oldest = oldest < uncertain ? uncertain : oldest;
    for (uint32_t i = 0; i < SEARCH_MAX && lower != 0; i++) {
        number = whole_number(number, lower);
        if (number <= oldest)
            return false;
        lower = __atomic_load_n(before_of(number), __ATOMIC_RELAXED);
        if (copy(number, block) && block->key == key)
            return true;
    }
    return false;
}

void asnap_freed_clear(void)
{
    __atomic_store_n(&RING->lost, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&RING->taken_back, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&RING->cleared, __atomic_load_n(&RING->count, __ATOMIC_RELAXED),
                     __ATOMIC_RELEASE);
}
