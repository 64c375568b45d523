/* Reads the heaps of a program whose memory is any bytes: an input is the pages of made_heap.h, one
 * behind the other, zeros behind its end. Whatever they say, chunks lie in the program's memory,
 * none over another of its area, and what there is of them is bounded by that memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_heap.h"
#include "target.h"

size_t fuzz_accepted;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_heaps: %s\n", what);
    abort();
}

static bool is_mapped(const struct made_heap *made, uint64_t start, uint64_t size)
{
    for (size_t i = 0; i < MADE_REGIONS; i++) {
        const struct asnap_region *region = &made->regions[i];
        if (start >= region->start && start < region->end && size <= region->end - start)
            return true;
    }
    return false;
}

static void check(const struct made_heap *made, const struct asnap_heap *heap)
{
    size_t count = asnap_heap_chunk_count(heap);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        struct asnap_heap_chunk chunk = asnap_heap_chunk(heap, i);
        require(chunk.use < ASNAP_CHUNK_USES, "a chunk has no use");
        require(chunk.area < asnap_heap_area_count(heap), "a chunk is in no area");
        require(is_mapped(made, chunk.address - 16, chunk.size), "a chunk is not in memory");
        require(chunk.usable < chunk.size || chunk.size == 0, "a block is larger than its chunk");
        bytes += chunk.size;
    }
    /* The main arena and another one may claim the same memory, where sizes are overwritten. */
    require(bytes <= 4 * sizeof(made->bytes), "chunks have more bytes than there are");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct made_heap made;
    struct asnap_heap *heap;
    struct asnap_raw *raw;
    made_heap_init_regions(&made);
    memcpy(made.bytes, bytes, size < sizeof(made.bytes) ? size : sizeof(made.bytes));
    struct asnap_error *error = asnap_heap_read(&made.facts, &heap);
    if (error != NULL) {
        require(asnap_error_code(error) == ASNAP_ERROR_UNSUPPORTED, asnap_error_message(error));
        asnap_error_destroy(error);
        return 0;
    }
    fuzz_accepted++;
    check(&made, heap);
    require(asnap_heap_raw(heap, &raw) == NULL, "no raw traces");
    asnap_raw_destroy(raw);
    asnap_heap_destroy(heap);
    return 0;
}
