#include "pages.h"

#include <stdbool.h>

#include "kernel.h"
#include "root.h"

static uint64_t limit = UINT64_MAX;

void asnap_pages_set_limit(uint64_t bytes)
{
    __atomic_store_n(&limit, bytes, __ATOMIC_RELAXED);
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + 4095) & ~(size_t)4095;
}

/* Counts first, so that threads that map at once do not pass the limit together. */
static bool count_in(size_t bytes)
{
    uint64_t most = __atomic_load_n(&limit, __ATOMIC_RELAXED);
    uint64_t mapped = __atomic_load_n(&allocsnap_root.tracker_bytes, __ATOMIC_RELAXED);
    do {
        if (mapped > most || bytes > most - mapped)
            return false;
    } while (!__atomic_compare_exchange_n(&allocsnap_root.tracker_bytes, &mapped, mapped + bytes,
                                          true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static void count_out(size_t bytes)
{
    __atomic_fetch_sub(&allocsnap_root.tracker_bytes, bytes, __ATOMIC_RELAXED);
}

void *asnap_pages_map(size_t bytes)
{
    size_t whole = whole_pages(bytes);
    if (!count_in(whole))
        return NULL;
    void *pages = asnap_kernel_map(whole);
    if (pages == NULL)
        count_out(whole);
    return pages;
}

void asnap_pages_unmap(void *pages, size_t bytes)
{
    if (pages == NULL)
        return;
    asnap_kernel_unmap(pages, whole_pages(bytes));
    count_out(whole_pages(bytes));
}
