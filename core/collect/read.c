#include "read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

struct asnap_error *asnap_read(const struct asnap_memory *memory, uint64_t address, void *buffer,
                               size_t size, const char *what)
{
    int result = memory->read(memory->context, address, buffer, size);
    if (result == ASNAP_READ_OK)
        return NULL;
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    return asnap_error_create(ASNAP_ERROR_UNREADABLE,
                              "cannot read %s (%zu bytes at 0x%" PRIx64
                              "): the memory is gone, or the core file is truncated",
                              what, size, address);
}

struct asnap_error *asnap_read_progress(const struct asnap_progress *progress, const char *step,
                                        uint64_t done, uint64_t total)
{
    if (progress == NULL || progress->report(progress->context, step, done, total))
        return NULL;
    return asnap_error_interrupted(step);
}

static int by_address(const void *left, const void *right)
{
    const struct asnap_extent *a = left;
    const struct asnap_extent *b = right;
    return (a->address > b->address) - (a->address < b->address);
}

/* How many extents from the first on lie end to end and fit in one piece. */
static size_t run_length(const struct asnap_extent *extents, size_t count, size_t *bytes)
{
    size_t length = 1;
    *bytes = extents[0].size;
    while (length < count && extents[length].address == extents[0].address + *bytes &&
           extents[length].size <= ASNAP_READ_PIECE - *bytes) {
        *bytes += extents[length].size;
        length++;
    }
    return length;
}

/* The pages that `size` bytes at `address` touch. */
static size_t pages_touched(uint64_t address, size_t size)
{
    return (size_t)(address % ASNAP_READ_PAGE + size + ASNAP_READ_PAGE - 1) / ASNAP_READ_PAGE;
}

/* Reads page by page what can be read. */
static struct asnap_error *salvage(const struct asnap_memory *memory,
                                   const struct asnap_extent *extent, uint8_t *bytes,
                                   bool *readable)
{
    size_t done = 0;
    for (size_t page = 0; done < extent->size; page++) {
        uint64_t address = extent->address + done;
        size_t piece = ASNAP_READ_PAGE - (size_t)(address % ASNAP_READ_PAGE);
        if (piece > extent->size - done)
            piece = extent->size - done;
        int result = memory->read(memory->context, address, bytes + done, piece);
        if (result == ASNAP_READ_INTERRUPTED)
            return asnap_error_interrupted("reading memory");
        readable[page] = result == ASNAP_READ_OK;
        if (!readable[page])
            memset(bytes + done, 0, piece);
        done += piece;
    }
    return NULL;
}

static struct asnap_error *visit_salvaged(const struct asnap_memory *memory,
                                          const struct asnap_extent *extent, uint8_t *bytes,
                                          asnap_extent_visitor *visit, void *context)
{
    int result = memory->read(memory->context, extent->address, bytes, extent->size);
    if (result == ASNAP_READ_OK)
        return visit(context, extent, bytes, NULL);
    bool *readable = calloc(pages_touched(extent->address, extent->size), sizeof(*readable));
    if (readable == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = salvage(memory, extent, bytes, readable);
    if (error == NULL)
        error = visit(context, extent, bytes, readable);
    free(readable);
    return error;
}

static struct asnap_error *read_run(const struct asnap_memory *memory,
                                    const struct asnap_extent *extents, size_t count, size_t size,
                                    uint8_t *buffer, asnap_extent_visitor *visit, void *context)
{
    struct asnap_error *error = NULL;
    int result = memory->read(memory->context, extents[0].address, buffer, size);
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    for (size_t i = 0, at = 0; i < count && error == NULL; at += extents[i].size, i++) {
        if (result == ASNAP_READ_OK)
            error = visit(context, &extents[i], buffer + at, NULL);
        else
            error = visit_salvaged(memory, &extents[i], buffer + at, visit, context);
    }
    return error;
}

/* The room the largest run needs. */
static size_t largest_run(const struct asnap_extent *extents, size_t count, uint64_t *total)
{
    size_t largest = 0;
    *total = 0;
    for (size_t i = 0, bytes; i < count;) {
        i += run_length(extents + i, count - i, &bytes);
        *total += bytes;
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

struct asnap_error *asnap_read_extents(const struct asnap_memory *memory,
                                       struct asnap_extent *extents, size_t count, const char *step,
                                       const struct asnap_progress *progress,
                                       asnap_extent_visitor *visit, void *context)
{
    if (count == 0)
        return NULL;
    qsort(extents, count, sizeof(*extents), by_address);
    uint64_t total;
    uint8_t *buffer = malloc(largest_run(extents, count, &total));
    if (buffer == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    uint64_t done = 0;
    for (size_t i = 0; i < count && error == NULL;) {
        size_t bytes;
        size_t length = run_length(extents + i, count - i, &bytes);
        error = asnap_read_progress(progress, step, done, total);
        if (error == NULL)
            error = read_run(memory, extents + i, length, bytes, buffer, visit, context);
        done += bytes;
        i += length;
    }
    free(buffer);
    return error;
}
