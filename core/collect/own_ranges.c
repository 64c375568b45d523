/* The list that the hooks keep of their own memory. */
#include <inttypes.h>
#include <stdlib.h>

#include "error.h"
#include "grow.h"
#include "read.h"
#include "table_root.h"

enum { PAGE = 4096 };

/* 16 TiB of mappings of one page each; no list is longer. */
#define PAGES_MAX ((size_t)1 << 24)

struct asnap_own_ranges {
    struct asnap_address_range *ranges;
    size_t count;
    size_t capacity;
};

static struct asnap_error *damaged(uint64_t address)
{
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "the hooks' list of their own memory is damaged at 0x%" PRIx64
                              ": the program has overwritten it; restart the program to trace it "
                              "again",
                              address);
}

static struct asnap_error *add(struct asnap_own_ranges *own, uint64_t start, uint64_t bytes)
{
    struct asnap_address_range *ranges =
        asnap_grow(own->ranges, &own->capacity, own->count + 1, sizeof(*ranges));
    if (ranges == NULL)
        return asnap_error_no_memory();
    own->ranges = ranges;
    ranges[own->count++] = (struct asnap_address_range){start, start + bytes};
    return NULL;
}

static struct asnap_error *add_page(struct asnap_own_ranges *own, uint64_t address,
                                    const struct asnap_table_own_page *page)
{
    struct asnap_error *error = add(own, address, sizeof(*page));
    for (uint32_t i = 0; error == NULL && i < ASNAP_TABLE_OWN_RANGES; i++) {
        const struct asnap_table_own_range *range = &page->ranges[i];
        if (range->start == 0 || range->bytes == 0)
            continue;
        if (range->start % PAGE != 0 || range->bytes % PAGE != 0 ||
            range->bytes >= ASNAP_TABLE_SIZE_LIMIT || range->start > UINT64_MAX - range->bytes)
            return damaged(address);
        error = add(own, range->start, range->bytes);
    }
    return error;
}

static struct asnap_error *read_pages(const struct asnap_memory *memory, uint64_t first,
                                      struct asnap_own_ranges *own)
{
    struct asnap_inferior inferior = asnap_inferior_of(memory, NULL);
    struct asnap_table_own_page page;
    size_t count = 0;
    for (uint64_t address = first; address != 0; address = page.next) {
        if (address % PAGE != 0 || count++ == PAGES_MAX)
            return damaged(address);
        struct asnap_error *error = asnap_inferior_take(&inferior, sizeof(page));
        if (error == NULL)
            error = asnap_read(memory, address, &page, sizeof(page),
                               "the hooks' list of their own memory");
        if (error == NULL)
            error = add_page(own, address, &page);
        if (error != NULL)
            return error;
    }
    return NULL;
}

static int by_start(const void *left, const void *right)
{
    const struct asnap_address_range *a = left;
    const struct asnap_address_range *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

/* Sorts the ranges and joins those that touch. */
static void join(struct asnap_own_ranges *own)
{
    if (own->count == 0)
        return;
    qsort(own->ranges, own->count, sizeof(*own->ranges), by_start);
    size_t last = 0;
    for (size_t i = 1; i < own->count; i++) {
        if (own->ranges[i].start > own->ranges[last].end)
            own->ranges[++last] = own->ranges[i];
        else if (own->ranges[i].end > own->ranges[last].end)
            own->ranges[last].end = own->ranges[i].end;
    }
    own->count = last + 1;
}

struct asnap_error *asnap_own_ranges_create(const struct asnap_memory *memory,
                                            uint64_t root_address, struct asnap_own_ranges **own)
{
    struct asnap_table_root root;
    if (memory == NULL || own == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_own_ranges_create: NULL argument");
    struct asnap_error *error = asnap_root_read(memory, root_address, &root);
    if (error != NULL)
        return error;
    if (root.version < ASNAP_TABLE_VERSION_OWN_PAGES)
        return asnap_error_create(ASNAP_ERROR_VERSION,
                                  "the hooks in this process are of an older release and do not "
                                  "say which memory is theirs, so that it would be taken for the "
                                  "program's: trace the program with the hooks of this release");
    struct asnap_own_ranges *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    error = read_pages(memory, root.own_pages, made);
    if (error != NULL) {
        asnap_own_ranges_destroy(made);
        return error;
    }
    join(made);
    *own = made;
    return NULL;
}

const struct asnap_address_range *asnap_own_ranges_list(const struct asnap_own_ranges *own,
                                                        size_t *count)
{
    *count = own->count;
    return own->ranges;
}

void asnap_own_ranges_destroy(struct asnap_own_ranges *own)
{
    if (own == NULL)
        return;
    free(own->ranges);
    free(own);
}
