#include "py_memory.h"

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
