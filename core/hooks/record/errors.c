#include "errors.h"

#include <stddef.h>

#include "clock.h"
#include "freed.h"
#include "pages.h"
#include "ring.h"
#include "root.h"
#include "thread_numbers.h"

#define ERRORS (&asnap_root_and_watch.errors)

enum { CAPACITY = 512 };

bool asnap_errors_begin(void)
{
    void *errors =
        asnap_pages_map(ASNAP_TABLE_ERROR_KINDS * CAPACITY * sizeof(struct asnap_table_error));
    if (errors == NULL)
        return false;
    ERRORS->errors = (uint64_t)(uintptr_t)errors;
    __atomic_store_n(&ERRORS->capacity, CAPACITY, __ATOMIC_RELEASE);
    return true;
}

static struct asnap_table_error *place_of(uint64_t kind, uint64_t number)
{
    struct asnap_table_error *errors = (struct asnap_table_error *)(uintptr_t)ERRORS->errors;
    return &errors[kind * CAPACITY + (number - 1) % CAPACITY];
}

uint64_t asnap_errors_put(uint64_t key, uint32_t stack)
{
    struct asnap_table_freed_block freed;
    bool was_freed = asnap_freed_find(key, &freed);
    uint64_t kind = was_freed ? ASNAP_TABLE_ERROR_TWICE : ASNAP_TABLE_ERROR_UNKNOWN;
    if (!was_freed)
        freed = (struct asnap_table_freed_block){.stack = ASNAP_TABLE_NONE,
                                                 .freed_stack = ASNAP_TABLE_NONE};
    struct asnap_table_error_ring *ring = &ERRORS->rings[kind];
    uint64_t number = __atomic_add_fetch(&ring->count, 1, __ATOMIC_RELAXED);
    struct asnap_table_error *place = place_of(kind, number);
    if (!asnap_ring_claim(&place->number, number)) {
        __atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
        return 0;
    }
    asnap_ring_open(&place->check, number);
    place->key = key;
    place->extent = freed.extent;
    place->stack = freed.stack;
    place->time = freed.time;
    place->freed_stack = freed.freed_stack;
    place->freed_time = freed.freed_time;
    place->freed_thread = freed.freed_thread;
    place->again_stack = stack;
    place->again_time = asnap_clock_now();
    place->again_thread = asnap_thread_number();
    asnap_ring_publish(&place->number, &place->check, number);
    return number * ASNAP_TABLE_ERROR_KINDS + kind;
}

void asnap_errors_take_back(uint64_t error)
{
    uint64_t kind = error % ASNAP_TABLE_ERROR_KINDS;
    uint64_t number = error / ASNAP_TABLE_ERROR_KINDS;
    __atomic_fetch_add(&ERRORS->rings[kind].taken_back, 1, __ATOMIC_RELAXED);
    asnap_ring_take_back(&place_of(kind, number)->number, number);
}

void asnap_errors_clear(void)
{
    for (uint32_t kind = 0; kind < ASNAP_TABLE_ERROR_KINDS; kind++) {
        struct asnap_table_error_ring *ring = &ERRORS->rings[kind];
        __atomic_store_n(&ring->lost, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&ring->taken_back, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&ring->cleared, __atomic_load_n(&ring->count, __ATOMIC_RELAXED),
                         __ATOMIC_RELEASE);
    }
}
