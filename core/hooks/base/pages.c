#include "pages.h"

#include <link.h>
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

/* ---- the list of the hooks' own memory ---- */

static struct asnap_table_own_page *page_at(uint64_t *place)
{
    return (void *)(uintptr_t)__atomic_load_n(place, __ATOMIC_ACQUIRE);
}

/* Claims a free place of a page for `start`; NULL: there is none. */
static struct asnap_table_own_range *claim(struct asnap_table_own_page *page, uint64_t start)
{
    uint32_t from = __atomic_load_n(&page->from, __ATOMIC_RELAXED);
    for (uint32_t i = from; i < ASNAP_TABLE_OWN_RANGES; i++) {
        uint64_t none = 0;
        if (!__atomic_compare_exchange_n(&page->ranges[i].start, &none, start, false,
                                         __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            continue;
        __atomic_store_n(&page->from, i + 1, __ATOMIC_RELAXED);
        return &page->ranges[i];
    }
    return NULL;
}

/* Adds a page where `place` says that there is none; another thread may come first. */
static bool add_page(uint64_t *place)
{
    uint64_t none = 0;
    if (!count_in(sizeof(struct asnap_table_own_page)))
        return false;
    void *page = asnap_kernel_map(sizeof(struct asnap_table_own_page));
    if (page != NULL && __atomic_compare_exchange_n(place, &none, (uint64_t)(uintptr_t)page, false,
                                                    __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        return true;
    if (page != NULL)
        asnap_kernel_unmap(page, sizeof(struct asnap_table_own_page));
    count_out(sizeof(struct asnap_table_own_page));
    return page != NULL;
}

/* Without a lock: a child of fork may begin at any instruction of another thread. */
static bool list(uint64_t start, uint64_t bytes)
{
    uint64_t *place = &allocsnap_root.own_pages;
    for (;;) {
        struct asnap_table_own_page *page = page_at(place);
        if (page == NULL) {
            if (!add_page(place))
                return false;
            continue;
        }
        struct asnap_table_own_range *range = claim(page, start);
        if (range != NULL) {
            __atomic_store_n(&range->bytes, bytes, __ATOMIC_RELEASE);
            return true;
        }
        place = &page->next;
    }
}

static struct asnap_table_own_range *find(uint64_t start, struct asnap_table_own_page **owner)
{
    struct asnap_table_own_page *page = page_at(&allocsnap_root.own_pages);
    for (; page != NULL; page = page_at(&page->next)) {
        *owner = page;
        for (uint32_t i = 0; i < ASNAP_TABLE_OWN_RANGES; i++)
            if (__atomic_load_n(&page->ranges[i].start, __ATOMIC_RELAXED) == start)
                return &page->ranges[i];
    }
    return NULL;
}

static void take_off_list(uint64_t start)
{
    struct asnap_table_own_page *page;
    struct asnap_table_own_range *range = find(start, &page);
    if (range == NULL)
        return;
    uint32_t place = (uint32_t)(range - page->ranges);
    __atomic_store_n(&range->bytes, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&range->start, 0, __ATOMIC_RELEASE);
    if (place < __atomic_load_n(&page->from, __ATOMIC_RELAXED))
        __atomic_store_n(&page->from, place, __ATOMIC_RELAXED);
}

/* Where this library is: the linker defines it. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

void asnap_pages_list_library(void)
{
    const ElfW(Ehdr) *file = (const void *)__ehdr_start;
    const ElfW(Phdr) *headers = (const void *)(__ehdr_start + file->e_phoff);
    uint64_t base = (uint64_t)(uintptr_t)file;
    bool is_first = true;
    struct asnap_table_own_page *page;
    for (int i = 0; i < file->e_phnum; i++) {
        if (headers[i].p_type != PT_LOAD)
            continue;
        if (is_first)
            base -= headers[i].p_vaddr - headers[i].p_offset;
        is_first = false;
        uint64_t start = (base + headers[i].p_vaddr) & ~(uint64_t)4095;
        uint64_t end = (base + headers[i].p_vaddr + headers[i].p_memsz + 4095) & ~(uint64_t)4095;
        if ((headers[i].p_flags & PF_W) != 0 && find(start, &page) == NULL)
            list(start, end - start);
    }
}

/* ---- mapping ---- */

static void *map(size_t bytes, int flags)
{
    size_t whole = whole_pages(bytes);
    if (!count_in(whole))
        return NULL;
    void *pages = asnap_kernel_map_with(whole, flags);
    if (pages != NULL && !list((uint64_t)(uintptr_t)pages, whole)) {
        asnap_kernel_unmap(pages, whole);
        pages = NULL;
    }
    if (pages == NULL)
        count_out(whole);
    return pages;
}

void *asnap_pages_map(size_t bytes)
{
    return map(bytes, 0);
}

void *asnap_pages_map_at_once(size_t bytes)
{
    return map(bytes, MAP_POPULATE);
}

void *asnap_pages_map_to_spare(size_t bytes)
{
    uint64_t most = __atomic_load_n(&limit, __ATOMIC_RELAXED);
    uint64_t mapped = __atomic_load_n(&allocsnap_root.tracker_bytes, __ATOMIC_RELAXED);
    return mapped > most || bytes > (most - mapped) / 16 ? NULL : asnap_pages_map(bytes);
}

/* It stays on the list until it is gone: what a reader finds at a stop in between is rather taken
 * for the hooks' own than for the program's. */
void asnap_pages_unmap(void *pages, size_t bytes)
{
    if (pages == NULL)
        return;
    asnap_kernel_unmap(pages, whole_pages(bytes));
    take_off_list((uint64_t)(uintptr_t)pages);
    count_out(whole_pages(bytes));
}
