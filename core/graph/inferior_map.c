#include "inferior_map.h"

#include <string.h>

#include "error.h"

/* Whether nothing was ever written to [address, address + size): it is not read, since that would
 * give the program page tables for it. */
static bool is_untouched(const struct asnap_graph_facts *facts, uint64_t address, size_t size)
{
    size_t low = 0;
    size_t high = facts->untouched_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (facts->untouched[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < facts->untouched[low - 1].end &&
           size <= facts->untouched[low - 1].end - address;
}

struct asnap_error *asnap_inferior_copy(const struct asnap_graph_facts *facts, uint64_t address,
                                        void *bytes, size_t size, bool *read)
{
    if (is_untouched(facts, address, size)) {
        memset(bytes, 0, size);
        *read = true;
        return NULL;
    }
    int result = facts->memory->read(facts->memory->context, address, bytes, size);
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("looking for roots");
    *read = result == ASNAP_READ_OK;
    return NULL;
}

const struct asnap_region *asnap_inferior_region(const struct asnap_graph_facts *facts,
                                                 uint64_t address)
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
    return low > 0 && address < facts->regions[low - 1].end ? &facts->regions[low - 1] : NULL;
}

bool asnap_region_is_file(const struct asnap_region *region)
{
    return region->path != NULL && region->path[0] == '/';
}

bool asnap_region_is(const struct asnap_region *region, const char *name)
{
    return region->path != NULL && strcmp(region->path, name) == 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool asnap_region_is_data(const struct asnap_region *region)
{
    const uint32_t wanted = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    if ((region->flags & wanted) != wanted || region->end <= region->start)
        return false;
    const char *path = region->path == NULL ? "" : region->path;
    if (begins(path, "[v"))
        return false; /* [vdso], [vvar], [vsyscall] */
    return !begins(path, "/dev/") || begins(path, "/dev/zero") || begins(path, "/dev/shm/");
}
