#include "thread_numbers.h"

#include <stdbool.h>

#include "kernel.h"
#include "lock.h"
#include "pages.h"
#include "root.h"

#define NO_NUMBER UINT32_MAX

__thread uint32_t asnap_thread_own_number;

static uint32_t list_lock;
static uint64_t chunks[ASNAP_TABLE_THREAD_CHUNKS];

/* The place for the number of a thread; NULL: no memory. */
static uint32_t *place_of(uint32_t thread)
{
    uint64_t *chunk = &chunks[thread / ASNAP_TABLE_CHUNK_THREADS];
    if (*chunk == 0) {
        void *pages = asnap_pages_map(ASNAP_TABLE_CHUNK_THREADS * sizeof(uint32_t));
        __atomic_store_n(chunk, (uint64_t)(uintptr_t)pages, __ATOMIC_RELEASE);
    }
    return *chunk == 0 ? NULL : (uint32_t *)(uintptr_t)*chunk + thread % ASNAP_TABLE_CHUNK_THREADS;
}

/* The first place stays 0: threads without a number. */
static uint32_t add(void)
{
    uint32_t thread = allocsnap_root.thread_count == 0 ? 1 : allocsnap_root.thread_count;
    uint32_t *place = thread < ASNAP_THREAD_NUMBERS ? place_of(thread) : NULL;
    if (place == NULL)
        return NO_NUMBER;
    *place = asnap_kernel_thread();
    allocsnap_root.thread_chunks = (uint64_t)(uintptr_t)chunks;
    __atomic_store_n(&allocsnap_root.thread_count, thread + 1, __ATOMIC_RELEASE);
    return thread;
}

uint32_t asnap_thread_number_take(void)
{
    if (asnap_thread_own_number == 0) {
        asnap_lock(&list_lock);
        asnap_thread_own_number = add();
        asnap_unlock(&list_lock);
    }
    return asnap_thread_own_number == NO_NUMBER ? 0 : asnap_thread_own_number;
}

void asnap_thread_number_forget(void)
{
    asnap_thread_own_number = 0;
}

/* A place is filled before it is counted. */
void asnap_thread_numbers_mend(const uint32_t *only)
{
    if (asnap_lock_is_orphan(&list_lock, only))
        __atomic_store_n(&list_lock, 0, __ATOMIC_RELEASE);
}
