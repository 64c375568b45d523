#include "py_memory.h"

#include <stdlib.h>
#include <string.h>

/* The largest piece asked for at once, and the largest gap that is read along with what is around
 * it: a call takes as long as some KiB. */
#define PIECE ((size_t)1 << 20)
#define GAP ((uint64_t)4096)

struct asnap_py_memory asnap_py_memory_of(const struct asnap_memory *memory,
                                          const struct asnap_region *regions, size_t region_count,
                                          const struct asnap_progress *progress)
{
    uint64_t readable = 0;
    for (size_t i = 0; i < region_count; i++) {
        if ((regions[i].flags & ASNAP_REGION_READABLE) != 0 && regions[i].end > regions[i].start)
            readable += regions[i].end - regions[i].start;
    }
    if (memory->bytes != 0 && (readable == 0 || memory->bytes < readable))
        readable = memory->bytes;
    return (struct asnap_py_memory){
        .memory = memory,
        .progress = progress,
        .regions = regions,
        .region_count = region_count,
        .readable = readable == 0 ? UINT64_MAX : readable,
    };
}

const struct asnap_region *asnap_py_region(const struct asnap_py_memory *py, uint64_t address)
{
    size_t low = 0;
    size_t high = py->region_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (py->regions[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < py->region_count && py->regions[low].start <= address ? &py->regions[low] : NULL;
}

bool asnap_py_is_code(const struct asnap_py_memory *py, uint64_t address)
{
    const struct asnap_region *region = asnap_py_region(py, address);
    return py->region_count == 0 ||
           (region != NULL && (region->flags & ASNAP_REGION_EXECUTABLE) != 0);
}

struct asnap_error *asnap_py_read(const struct asnap_py_memory *py, uint64_t address, void *buffer,
                                  size_t size, bool *is_read)
{
    *is_read = false;
    if (address + size < address)
        return NULL;
    int result = py->memory->read(py->memory->context, address, buffer, size);
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    *is_read = result == ASNAP_READ_OK;
    return NULL;
}

struct asnap_error *asnap_py_ask(const struct asnap_py_memory *py, const char *step, uint64_t done,
                                 uint64_t total)
{
    const struct asnap_progress *progress = py->progress;
    if (progress == NULL || progress->report(progress->context, step, done, total))
        return NULL;
    return asnap_error_interrupted(step);
}

/* Sorts by address, a byte of it at a time from the lowest on, as far as they differ. */
static struct asnap_error *sort_by_address(struct asnap_wanted *wanted, size_t count)
{
    struct asnap_wanted *scratch = malloc(count * sizeof(*scratch));
    if (scratch == NULL)
        return asnap_error_no_memory();
    uint64_t different = 0;
    for (size_t i = 1; i < count; i++)
        different |= wanted[i].address ^ wanted[0].address;
    struct asnap_wanted *from = wanted;
    struct asnap_wanted *to = scratch;
    for (unsigned int shift = 0; shift < 64; shift += 8) {
        size_t places[257] = {0};
        if ((different >> shift & 0xff) == 0)
            continue;
        for (size_t i = 0; i < count; i++)
            places[(from[i].address >> shift & 0xff) + 1]++;
        for (size_t i = 0; i < 256; i++)
            places[i + 1] += places[i];
        for (size_t i = 0; i < count; i++)
            to[places[from[i].address >> shift & 0xff]++] = from[i];
        struct asnap_wanted *swap = from;
        from = to;
        to = swap;
    }
    if (from != wanted)
        memcpy(wanted, from, count * sizeof(*wanted));
    free(scratch);
    return NULL;
}

/* How many pieces from the first on are read at once, and how many bytes these are. */
static size_t run_length(const struct asnap_wanted *wanted, size_t count, size_t *bytes)
{
    size_t length = 1;
    uint64_t end = wanted[0].address + wanted[0].size;
    for (; length < count; length++) {
        const struct asnap_wanted *next = &wanted[length];
        uint64_t next_end = next->address + next->size;
        if (next_end < next->address || (next->address > end && next->address - end > GAP) ||
            next_end - wanted[0].address > PIECE)
            break;
        end = next_end > end ? next_end : end;
    }
    *bytes = (size_t)(end - wanted[0].address);
    return length;
}

/* Reads pieces one by one where they cannot be read at once. */
static struct asnap_error *visit_alone(const struct asnap_py_memory *py,
                                       const struct asnap_wanted *wanted, size_t count,
                                       uint8_t *buffer, asnap_wanted_visitor *visit, void *context)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < count && error == NULL; i++) {
        bool is_read;
        error = asnap_py_read(py, wanted[i].address, buffer, wanted[i].size, &is_read);
        if (error == NULL)
            error = visit(context, &wanted[i], is_read ? buffer : NULL);
    }
    return error;
}

static struct asnap_error *visit_run(const struct asnap_py_memory *py,
                                     const struct asnap_wanted *wanted, size_t count, size_t bytes,
                                     uint8_t *buffer, asnap_wanted_visitor *visit, void *context)
{
    bool is_read;
    struct asnap_error *error = asnap_py_read(py, wanted[0].address, buffer, bytes, &is_read);
    if (error == NULL && !is_read)
        return visit_alone(py, wanted, count, buffer, visit, context);
    for (size_t i = 0; i < count && error == NULL; i++)
        error = visit(context, &wanted[i], buffer + (wanted[i].address - wanted[0].address));
    return error;
}

struct asnap_error *asnap_py_gather(const struct asnap_py_memory *py, struct asnap_wanted *wanted,
                                    size_t count, const char *step, asnap_wanted_visitor *visit,
                                    void *context)
{
    size_t largest = 1;
    if (count == 0)
        return NULL;
    struct asnap_error *error = sort_by_address(wanted, count);
    if (error != NULL)
        return error;
    for (size_t i = 0, bytes; i < count;) {
        i += run_length(wanted + i, count - i, &bytes);
        largest = bytes > largest ? bytes : largest;
    }
    uint8_t *buffer = malloc(largest);
    if (buffer == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count && error == NULL;) {
        size_t bytes;
        size_t length = run_length(wanted + i, count - i, &bytes);
        error = asnap_py_ask(py, step, i, count);
        if (error == NULL)
            error = visit_run(py, wanted + i, length, bytes, buffer, visit, context);
        i += length;
    }
    free(buffer);
    return error;
}

uint64_t asnap_py_u64(const uint8_t *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

uint32_t asnap_py_u32(const uint8_t *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

uint16_t asnap_py_u16(const uint8_t *bytes)
{
    uint16_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}
