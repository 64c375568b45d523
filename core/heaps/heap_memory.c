#include "heap_memory.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "read.h"

/* What is read at once: headers follow each other, and a debugger is fast in large pieces. */
#define HERE_BYTES ((size_t)1 << 18)
#define AHEAD_BYTES ((size_t)1 << 14)

enum { HEADER_BYTES = 16 };

struct asnap_error *asnap_heap_memory_init(struct asnap_heap_memory *memory,
                                           const struct asnap_heap_facts *facts)
{
    *memory = (struct asnap_heap_memory){.facts = facts};
    memory->here.bytes = malloc(HERE_BYTES);
    memory->here.room = HERE_BYTES;
    memory->ahead.bytes = malloc(AHEAD_BYTES);
    memory->ahead.room = AHEAD_BYTES;
    return memory->here.bytes == NULL || memory->ahead.bytes == NULL ? asnap_error_no_memory()
                                                                     : NULL;
}

void asnap_heap_memory_deinit(struct asnap_heap_memory *memory)
{
    free(memory->here.bytes);
    free(memory->ahead.bytes);
}

/* Drops an error that only says that memory is not there. */
static struct asnap_error *unless_missing(struct asnap_error *error, bool *is_there)
{
    *is_there = error == NULL;
    if (error == NULL || asnap_error_code(error) != ASNAP_ERROR_UNREADABLE)
        return error;
    asnap_error_destroy(error);
    return NULL;
}

struct asnap_error *asnap_heap_copy(struct asnap_heap_memory *memory, uint64_t address,
                                    void *buffer, size_t size, bool *is_there)
{
    *is_there = false;
    if (address > UINT64_MAX - size)
        return NULL;
    return unless_missing(asnap_read(memory->facts->memory, address, buffer, size, "the heap"),
                          is_there);
}

/* Reads what is mapped from `address` on, as far as there is room; a page where all of it cannot be
 * read. */
static struct asnap_error *fill(struct asnap_heap_memory *memory, struct asnap_heap_window *window,
                                uint64_t address, bool *is_there)
{
    const struct asnap_region *region = asnap_heap_region(memory->facts, address);
    window->size = 0;
    *is_there = false;
    if (region == NULL)
        return NULL;
    uint64_t left = region->end - address;
    size_t size = left < window->room ? (size_t)left : window->room;
    size_t page = ASNAP_READ_PAGE - (size_t)(address % ASNAP_READ_PAGE);
    window->start = address;
    struct asnap_error *error = asnap_heap_copy(memory, address, window->bytes, size, is_there);
    if (error == NULL && !*is_there && page < size) {
        size = page;
        error = asnap_heap_copy(memory, address, window->bytes, size, is_there);
    }
    if (error == NULL && *is_there)
        window->size = size;
    return error;
}

struct asnap_error *asnap_heap_header(struct asnap_heap_memory *memory,
                                      struct asnap_heap_window *window, uint64_t address,
                                      uint64_t words[2], bool *is_there)
{
    *is_there = true;
    if (address < window->start || window->size < HEADER_BYTES ||
        address - window->start > window->size - HEADER_BYTES) {
        struct asnap_error *error = fill(memory, window, address, is_there);
        if (error != NULL)
            return error;
        if (*is_there && window->size < HEADER_BYTES)
            *is_there = false;
    }
    if (*is_there)
        memcpy(words, window->bytes + (address - window->start), HEADER_BYTES);
    return NULL;
}

struct asnap_error *asnap_heap_ask(struct asnap_heap_memory *memory)
{
    const struct asnap_progress *progress = memory->facts->progress;
    if (++memory->asked % 65536 != 0 || progress == NULL ||
        progress->report(progress->context, "", 0, 0))
        return NULL;
    return asnap_error_interrupted("reading the heap");
}

/* The place of the first region that begins behind an address. */
static size_t region_after(const struct asnap_heap_facts *facts, uint64_t address)
{
    size_t low = 0;
    size_t high = facts->region_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (facts->regions[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct asnap_region *asnap_heap_region(const struct asnap_heap_facts *facts, uint64_t address)
{
    size_t after = region_after(facts, address);
    if (after == 0 || facts->regions[after - 1].end <= address)
        return NULL;
    return &facts->regions[after - 1];
}

uint64_t asnap_heap_run_end(const struct asnap_heap_facts *facts, uint64_t address)
{
    size_t after = region_after(facts, address);
    if (after == 0 || facts->regions[after - 1].end <= address)
        return address;
    uint64_t end = address;
    for (size_t i = after - 1; i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (!asnap_heap_is_writable(region) || (i >= after && region->start != end))
            break;
        end = region->end;
    }
    return end;
}

uint64_t asnap_heap_run_start(const struct asnap_heap_facts *facts, uint64_t address)
{
    size_t after = region_after(facts, address);
    if (after == 0 || facts->regions[after - 1].end <= address ||
        !asnap_heap_is_writable(&facts->regions[after - 1]))
        return address;
    uint64_t start = facts->regions[after - 1].start;
    for (size_t i = after - 1; i > 0; i--) {
        const struct asnap_region *region = &facts->regions[i - 1];
        if (!asnap_heap_is_writable(region) || region->end != start)
            break;
        start = region->start;
    }
    return start;
}
