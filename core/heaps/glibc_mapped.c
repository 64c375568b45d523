/* Large blocks, which glibc maps one by one and lists nowhere: each begins with a page, at the
 * start of a mapping or, where the kernel has joined mappings, in it. Its header says how long it
 * is; how many there are and of how many bytes, glibc counts. */
#include <inttypes.h>
#include <stdlib.h>

#include "glibc_arena.h"

#include "error.h"

enum { PAGE = 4096, HEADER = 16, ALIGNMENT_BITS = 48 };

/* Pages that are looked at, so many bytes of mappings: 256 GiB. */
#define PAGES_MOST ((uint64_t)1 << 26)

struct scan {
    struct asnap_heap *heap;
    struct asnap_heap_memory *memory;
    const struct asnap_glibc_counts *counts;
    const struct asnap_glibc_hands *hands;
    uint64_t found;
    uint64_t bytes;
    uint64_t held; /* of the found ones: those that a thread in the C library has at hand */
    uint64_t held_bytes;
    uint64_t pages;
};

/* A block that is being made or given back may be there without being counted. */
static bool is_done(const struct scan *scan)
{
    return scan->counts->is_known && scan->found >= scan->counts->mapped_count + scan->held &&
           scan->bytes >= scan->counts->mapped_bytes + scan->held_bytes;
}

static bool is_held(const struct scan *scan, uint64_t page, uint64_t chunk)
{
    for (size_t i = 0; i < scan->hands->count; i++) {
        const struct asnap_glibc_hand *hand = &scan->hands->hands[i];
        if (asnap_glibc_hand_has(hand, page) || asnap_glibc_hand_has(hand, chunk) ||
            asnap_glibc_hand_has(hand, chunk + HEADER))
            return true;
    }
    return false;
}

/* A mapping of one block: its chunk, which for a block of a large alignment begins within. */
struct mapped {
    uint64_t chunk;
    uint64_t size; /* from there on */
};

static bool is_mapped_size(uint64_t word, uint64_t before, uint64_t left)
{
    uint64_t size = word & ~(uint64_t)ASNAP_GLIBC_BITS;
    return (word & ASNAP_GLIBC_BITS) == ASNAP_GLIBC_MMAPPED && size >= ASNAP_GLIBC_CHUNK_MIN &&
           size <= left && (before + size) % PAGE == 0;
}

/* Where memalign has moved the chunk on for its alignment: the chunk there counts the bytes before
 * it. */
static struct asnap_error *find_aligned(struct scan *scan, uint64_t start, uint64_t end,
                                        struct mapped *mapped)
{
    for (unsigned bits = 5; bits < ALIGNMENT_BITS; bits++) {
        uint64_t alignment = UINT64_C(1) << bits;
        uint64_t block = (start + HEADER + alignment - 1) & ~(alignment - 1);
        uint64_t words[2];
        bool is_there = false;
        uint64_t offset = block - HEADER - start;
        if (offset < ASNAP_GLIBC_CHUNK_MIN)
            offset += alignment;
        if (offset >= end - start || end - start - offset < HEADER)
            continue;
        struct asnap_error *error =
            asnap_heap_copy(scan->memory, start + offset, words, sizeof(words), &is_there);
        if (error != NULL)
            return error;
        if (!is_there || words[0] != offset ||
            !is_mapped_size(words[1], offset, end - start - offset))
            continue;
        *mapped = (struct mapped){.chunk = start + offset,
                                  .size = words[1] & ~(uint64_t)ASNAP_GLIBC_BITS};
        return NULL;
    }
    return NULL;
}

/* Looks at a page; `next` becomes where to look next. */
static struct asnap_error *look(struct scan *scan, uint64_t page, uint64_t end, uint64_t *next)
{
    uint64_t words[2];
    bool is_there = false;
    *next = page + PAGE;
    scan->pages++;
    struct asnap_error *error =
        asnap_heap_header(scan->memory, &scan->memory->here, page, words, &is_there);
    if (error != NULL || !is_there || words[0] != 0 || !is_mapped_size(words[1], 0, end - page))
        return error;
    struct mapped mapped = {.chunk = page, .size = words[1] & ~(uint64_t)ASNAP_GLIBC_BITS};
    error = find_aligned(scan, page, end, &mapped);
    if (error == NULL)
        error = asnap_heap_add_chunk(scan->heap, mapped.chunk, mapped.size, ASNAP_CHUNK_LIVE);
    *next = mapped.chunk + mapped.size;
    scan->found++;
    scan->bytes += *next - page;
    if (is_held(scan, page, mapped.chunk)) {
        scan->held++;
        scan->held_bytes += *next - page;
    }
    return error;
}

/* Where the hooks' own memory that an address is in ends; the address itself where it is in none.
 */
static uint64_t own_end(const struct asnap_heap_facts *facts, uint64_t address)
{
    for (size_t i = 0; i < facts->own_count; i++) {
        if (address >= facts->own[i].start && address < facts->own[i].end)
            return facts->own[i].end;
    }
    return address;
}

static struct asnap_error *scan_region(struct scan *scan, const struct asnap_region *region)
{
    struct asnap_error *error = NULL;
    uint64_t page = region->start;
    while (error == NULL && page < region->end && !is_done(scan) && scan->pages < PAGES_MOST) {
        const struct asnap_segment *segment = asnap_heap_segment(scan->heap, page);
        uint64_t end = segment != NULL ? segment->end : own_end(scan->memory->facts, page);
        if (end > page) {
            page = (end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
            continue;
        }
        error = look(scan, page, region->end, &page);
        if (error == NULL)
            error = asnap_heap_ask(scan->memory);
    }
    return error;
}

static struct asnap_error *add_notes(const struct scan *scan)
{
    const struct asnap_glibc_counts *counts = scan->counts;
    if (!counts->is_known)
        return asnap_heap_add_note(scan->heap,
                                   "glibc's count of large blocks is not found: %" PRIu64
                                   " mappings are taken for such blocks by their first words",
                                   scan->found);
    if (scan->found == counts->mapped_count && scan->bytes == counts->mapped_bytes)
        return NULL;
    return asnap_heap_add_note(
        scan->heap,
        "glibc counts %" PRIu64 " large blocks of %" PRIu64
        " bytes in mappings of their own, and %" PRIu64 " of %" PRIu64
        " bytes are found: one was being made or given back, the core lacks some, or "
        "their headers are overwritten",
        counts->mapped_count, counts->mapped_bytes, scan->found, scan->bytes);
}

struct asnap_error *asnap_glibc_mapped_blocks(struct asnap_heap *heap,
                                              struct asnap_heap_memory *memory,
                                              const struct asnap_glibc_counts *counts,
                                              const struct asnap_glibc_hands *hands)
{
    const struct asnap_heap_facts *facts = memory->facts;
    struct scan scan = {.heap = heap, .memory = memory, .counts = counts, .hands = hands};
    struct asnap_heap_area area = {.kind = ASNAP_AREA_MAPPED};
    struct asnap_error *error = asnap_heap_add_area(heap, &area);
    for (size_t i = 0; error == NULL && i < facts->region_count && !is_done(&scan); i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (asnap_heap_is_writable(region) && (region->path == NULL || region->path[0] == '\0'))
            error = scan_region(&scan, region);
    }
    if (error == NULL)
        heap->areas[heap->area_count - 1].size = scan.bytes;
    return error != NULL ? error : add_notes(&scan);
}
