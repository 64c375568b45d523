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

struct asnap_inferior asnap_inferior_of(const struct asnap_memory *memory,
                                        const struct asnap_progress *progress)
{
    return (struct asnap_inferior){.memory = memory,
                                   .progress = progress,
                                   .left = memory->bytes != 0 ? memory->bytes : ASNAP_LEFT_UNKNOWN};
}

struct asnap_error *asnap_inferior_take(struct asnap_inferior *inferior, uint64_t bytes)
{
    if (bytes > inferior->left) {
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "the table is damaged (its parts are larger than all the memory "
                                  "that there is): the program has overwritten it; restart the "
                                  "program to trace it again");
    }
    if (inferior->left != ASNAP_LEFT_UNKNOWN)
        inferior->left -= bytes;
    return NULL;
}

struct asnap_error *asnap_inferior_ask(const struct asnap_inferior *inferior, const char *step,
                                       uint64_t done, uint64_t total)
{
    const struct asnap_progress *progress = inferior->progress;
    if (progress == NULL || progress->report(progress->context, step, done, total))
        return NULL;
    return asnap_error_interrupted(step[0] == '\0' ? "reading the table" : step);
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
static struct asnap_error *salvage(struct asnap_inferior *inferior,
                                   const struct asnap_extent *extent, uint8_t *bytes,
                                   bool *readable)
{
    const struct asnap_memory *memory = inferior->memory;
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
        struct asnap_error *error = NULL;
        if (readable[page])
            error = asnap_inferior_take(inferior, piece);
        else
            memset(bytes + done, 0, piece);
        if (error != NULL)
            return error;
        done += piece;
    }
    return NULL;
}

static struct asnap_error *visit_salvaged(struct asnap_inferior *inferior,
                                          const struct asnap_extent *extent, uint8_t *bytes,
                                          asnap_extent_visitor *visit, void *context)
{
    const struct asnap_memory *memory = inferior->memory;
    int result = memory->read(memory->context, extent->address, bytes, extent->size);
    struct asnap_error *error = NULL;
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    if (result == ASNAP_READ_OK) {
        error = asnap_inferior_take(inferior, extent->size);
        return error != NULL ? error : visit(context, extent, bytes, NULL);
    }
    bool *readable = calloc(pages_touched(extent->address, extent->size), sizeof(*readable));
    if (readable == NULL)
        return asnap_error_no_memory();
    error = salvage(inferior, extent, bytes, readable);
    if (error == NULL)
        error = visit(context, extent, bytes, readable);
    free(readable);
    return error;
}

static struct asnap_error *read_run(struct asnap_inferior *inferior,
                                    const struct asnap_extent *extents, size_t count, size_t size,
                                    uint8_t *buffer, asnap_extent_visitor *visit, void *context)
{
    const struct asnap_memory *memory = inferior->memory;
    struct asnap_error *error = NULL;
    int result = memory->read(memory->context, extents[0].address, buffer, size);
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    if (result == ASNAP_READ_OK)
        error = asnap_inferior_take(inferior, size);
    for (size_t i = 0, at = 0; i < count && error == NULL; at += extents[i].size, i++) {
        if (result == ASNAP_READ_OK)
            error = visit(context, &extents[i], buffer + at, NULL);
        else
            error = visit_salvaged(inferior, &extents[i], buffer + at, visit, context);
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

/* Whether extents, which are sorted, lie apart. */
static struct asnap_error *check_apart(const struct asnap_extent *extents, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (extents[i].address - extents[i - 1].address < extents[i - 1].size)
            return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                      "the table is damaged (two of its parts are at 0x%" PRIx64
                                      "): the program has overwritten it; restart the program to "
                                      "trace it again",
                                      extents[i].address);
    }
    return NULL;
}

struct asnap_error *asnap_read_extents(struct asnap_inferior *inferior,
                                       struct asnap_extent *extents, size_t count, const char *step,
                                       asnap_extent_visitor *visit, void *context)
{
    if (count == 0)
        return NULL;
    qsort(extents, count, sizeof(*extents), by_address);
    struct asnap_error *error = check_apart(extents, count);
    if (error != NULL)
        return error;
    uint64_t total;
    uint8_t *buffer = malloc(largest_run(extents, count, &total));
    if (buffer == NULL)
        return asnap_error_no_memory();
    uint64_t done = 0;
    for (size_t i = 0; i < count && error == NULL;) {
        size_t bytes;
        size_t length = run_length(extents + i, count - i, &bytes);
        error = asnap_inferior_ask(inferior, step, done, total);
        if (error == NULL)
            error = read_run(inferior, extents + i, length, bytes, buffer, visit, context);
        done += bytes;
        i += length;
    }
    free(buffer);
    return error;
}
