#include "word_window.h"

#include <stdlib.h>

#include "error.h"

#define PAGE ((uint64_t)4096)

struct asnap_error *asnap_word_window_init(struct asnap_word_window *window,
                                           const struct asnap_memory *memory,
                                           const struct asnap_hole *holes, size_t hole_count)
{
    *window =
        (struct asnap_word_window){.memory = memory, .holes = holes, .hole_count = hole_count};
    window->bytes = malloc(ASNAP_WINDOW_BYTES);
    return window->bytes == NULL ? asnap_error_no_memory() : NULL;
}

void asnap_word_window_deinit(struct asnap_word_window *window)
{
    free(window->bytes);
    window->bytes = NULL;
}

/* Fills the window with [start, end); *read says whether that went well. */
static struct asnap_error *fill(struct asnap_word_window *window, uint64_t start, uint64_t end,
                                bool *read)
{
    const struct asnap_memory *memory = window->memory;
    int result = memory->read(memory->context, start, window->bytes, (size_t)(end - start));
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    *read = result == ASNAP_READ_OK;
    window->start = start;
    window->end = *read ? end : start;
    return NULL;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The hole that holds an address, or NULL. */
static const struct asnap_hole *hole_at(const struct asnap_word_window *window, uint64_t address)
{
    size_t low = 0;
    size_t high = window->hole_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (window->holes[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == window->hole_count || window->holes[low].start > address)
        return NULL;
    return &window->holes[low];
}

struct asnap_error *asnap_word_window_at(struct asnap_word_window *window, uint64_t address,
                                         size_t needed, uint64_t limit, uint64_t likely,
                                         const uint8_t **bytes, size_t *available)
{
    const struct asnap_hole *hole = window->hole_count == 0 ? NULL : hole_at(window, address);
    window->is_zero = hole != NULL && hole->is_zero;
    if (hole != NULL) {
        *bytes = NULL;
        *available = (size_t)(smaller(hole->end, limit) - address);
        return NULL;
    }
    uint64_t wanted = smaller(address + needed, limit);
    bool read = address >= window->start && wanted <= window->end;
    if (!read) {
        uint64_t end = smaller(address + ASNAP_WINDOW_BYTES, likely > limit ? likely : limit);
        if (address >= window->by_page) {
            struct asnap_error *error = fill(window, address, end, &read);
            if (error != NULL)
                return error;
            if (!read)
                window->by_page = end;
        }
        if (!read) {
            uint64_t page = (address | (PAGE - 1)) + 1;
            end = smaller(wanted > page ? wanted : page, limit);
            struct asnap_error *error = fill(window, address, end, &read);
            /* What is wanted may reach into a page that cannot be read. */
            if (error == NULL && !read && end > page) {
                end = page;
                error = fill(window, address, end, &read);
            }
            if (error != NULL)
                return error;
            if (!read) {
                *bytes = NULL;
                *available = (size_t)(end - address);
                return NULL;
            }
        }
    }
    *bytes = window->bytes + (address - window->start);
    *available = (size_t)(smaller(window->end, limit) - address);
    return NULL;
}
