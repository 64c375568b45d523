#include "made_heap.h"

#include <string.h>

/* Where each region begins in the bytes. */
static const struct {
    uint64_t start;
    size_t pages;
    const char *path;
    uint32_t flags;
} made_regions[MADE_REGIONS] = {
    {MADE_BRK, MADE_BRK_PAGES, NULL, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {MADE_OTHER, MADE_OTHER_PAGES, NULL, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {MADE_NEXT, MADE_NEXT_PAGES, NULL, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {MADE_MAPPED, MADE_MAPPED_PAGES, "", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {MADE_STORAGE, MADE_STORAGE_PAGES, NULL, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {MADE_LIBC, MADE_LIBC_PAGES, "/lib/libc.so.6", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {MADE_LIBC + 16 * 4096, 0, "/lib/libc.so.6", ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE},
};

/* The place of an address in the bytes; NULL: `size` bytes are not there. */
static uint8_t *bytes_at(struct made_heap *heap, uint64_t address, size_t size)
{
    size_t page = 0;
    for (size_t i = 0; i < MADE_REGIONS; page += made_regions[i++].pages) {
        uint64_t start = made_regions[i].start;
        uint64_t bytes = made_regions[i].pages * MADE_PAGE;
        if (address < start || address - start >= bytes || size > bytes - (address - start))
            continue;
        uint64_t offset = address - start;
        for (uint64_t at = offset / MADE_PAGE; size != 0 && at <= (offset + size - 1) / MADE_PAGE;
             at++) {
            if ((heap->unreadable >> (page + at) & 1) != 0)
                return NULL;
        }
        return heap->bytes + page * MADE_PAGE + offset;
    }
    return NULL;
}

static int read_made(void *context, uint64_t address, void *buffer, size_t size)
{
    const uint8_t *bytes = bytes_at(context, address, size);
    if (bytes == NULL)
        return ASNAP_READ_FAILED;
    memcpy(buffer, bytes, size);
    return ASNAP_READ_OK;
}

uint64_t made_word(struct made_heap *heap, uint64_t address)
{
    uint64_t word = 0;
    const uint8_t *bytes = bytes_at(heap, address, sizeof(word));
    if (bytes != NULL)
        memcpy(&word, bytes, sizeof(word));
    return word;
}

void made_write(struct made_heap *heap, uint64_t address, uint64_t word)
{
    memcpy(bytes_at(heap, address, sizeof(word)), &word, sizeof(word));
}

void made_write_half(struct made_heap *heap, uint64_t address, uint32_t half)
{
    memcpy(bytes_at(heap, address, sizeof(half)), &half, sizeof(half));
}

void made_heap_init_regions(struct made_heap *heap)
{
    memset(heap, 0, sizeof(*heap));
    for (size_t i = 0; i < MADE_REGIONS; i++) {
        uint64_t bytes = made_regions[i].pages * MADE_PAGE;
        heap->regions[i] = (struct asnap_region){
            .start = made_regions[i].start,
            .end = made_regions[i].start + (bytes != 0 ? bytes : MADE_PAGE),
            .path = made_regions[i].path,
            .flags = made_regions[i].flags,
        };
    }
    heap->memory = (struct asnap_memory){.read = read_made, .context = heap};
    heap->thread = (struct asnap_thread){.number = 1, .thread_pointer = MADE_THREAD_POINTER};
    heap->facts = (struct asnap_heap_facts){
        .memory = &heap->memory,
        .regions = heap->regions,
        .region_count = MADE_REGIONS,
        .threads = &heap->thread,
        .thread_count = 1,
    };
}

static void make_arena(struct made_heap *heap, uint64_t arena, uint64_t next, uint64_t bytes)
{
    for (uint64_t bin = 0; bin < 127; bin++) {
        uint64_t place = arena + MADE_BINS + 16 * bin;
        made_write(heap, place, place - 16);
        made_write(heap, place + 8, place - 16);
    }
    made_write(heap, arena + MADE_TOP, arena + MADE_BINS - 16);
    made_write(heap, arena + MADE_NEXT_ARENA, next);
    made_write(heap, arena + MADE_ATTACHED, 1);
    made_write(heap, arena + MADE_SYSTEM, bytes);
    made_write(heap, arena + MADE_SYSTEM_MOST, bytes);
}

/* Where struct malloc_par has n_mmaps, mmapped_mem and sbrk_base. */
struct made_counts {
    uint64_t counts;
    uint64_t bytes;
    uint64_t brk_start;
};

static struct made_counts counts_of(const struct made_heap *heap)
{
    return heap->is_old ? (struct made_counts){40, 56, 72} : (struct made_counts){60, 80, 96};
}

void made_heap_init(struct made_heap *heap, bool is_old)
{
    made_heap_init_regions(heap);
    heap->is_old = is_old;
    struct made_counts counts = counts_of(heap);
    make_arena(heap, MADE_ARENA, MADE_ARENA, MADE_BRK_PAGES * MADE_PAGE);
    for (uint64_t at = 0; at < 3; at++)
        made_write(heap, MADE_COUNTS + 8 * at, 128 * 1024);
    made_write_half(heap, MADE_COUNTS + counts.counts + 4, 65536);
    made_write(heap, MADE_COUNTS + counts.brk_start, MADE_BRK);
    made_write(heap, MADE_COUNTS + counts.brk_start + 8, 64);
    made_write(heap, MADE_COUNTS + counts.brk_start + 16, 1032);
    made_write(heap, MADE_COUNTS + counts.brk_start + 24, 7);
}

struct made_place made_brk(struct made_heap *heap)
{
    return (struct made_place){.heap = heap, .at = MADE_BRK, .arena = MADE_ARENA};
}

struct made_place made_other(struct made_heap *heap)
{
    made_write(heap, MADE_ARENA + MADE_NEXT_ARENA, MADE_OTHER_ARENA);
    make_arena(heap, MADE_OTHER_ARENA, MADE_ARENA, MADE_OTHER_PAGES * MADE_PAGE);
    made_write(heap, MADE_OTHER, MADE_OTHER_ARENA);
    made_write(heap, MADE_OTHER + 16, MADE_OTHER_PAGES * MADE_PAGE);
    made_write(heap, MADE_OTHER + 24, MADE_OTHER_PAGES * MADE_PAGE);
    uint64_t first = (MADE_OTHER_ARENA + MADE_STATE_BYTES + 15) & ~UINT64_C(15);
    return (struct made_place){.heap = heap, .at = first, .arena = MADE_OTHER_ARENA};
}

static void write_header(struct made_place *place, uint64_t size, bool is_free)
{
    uint64_t bits = place->last_is_free ? 0 : 1;
    if (place->arena != MADE_ARENA && !is_free)
        bits |= 4;
    if (place->last_is_free)
        made_write(place->heap, place->at, place->at - place->last);
    made_write(place->heap, place->at + 8, size | bits);
}

uint64_t made_chunk(struct made_place *place, uint64_t size, bool is_free)
{
    uint64_t chunk = place->at;
    write_header(place, size, is_free);
    place->last = chunk;
    place->last_is_free = is_free;
    place->at += size;
    return chunk;
}

void made_top(struct made_place *place, uint64_t end)
{
    write_header(place, end - place->at, true);
    made_write(place->heap, place->arena + MADE_TOP, place->at);
}

uint64_t made_cache(struct made_place *place, bool is_named)
{
    uint64_t chunk = made_chunk(place, place->heap->is_old ? 0x250 : 0x290, false);
    if (is_named) {
        made_write(place->heap, MADE_THREAD_POINTER - 0x50, chunk + 16);
        made_write(place->heap, MADE_THREAD_POINTER - 0x40, place->arena);
    }
    return chunk;
}

/* The link to `next` as it is kept at `at`. */
static uint64_t link_to(const struct made_heap *heap, uint64_t at, uint64_t next)
{
    return heap->is_old ? next : next ^ at >> 12;
}

static uint64_t bin_of(struct made_heap *heap, uint64_t chunk)
{
    return ((made_word(heap, chunk + 8) & ~UINT64_C(7)) - 32) / 16;
}

void made_add_fast(struct made_place *place, uint64_t chunk)
{
    uint64_t bin = place->arena + MADE_FAST + 8 * bin_of(place->heap, chunk);
    made_write(place->heap, chunk + 16,
               link_to(place->heap, chunk + 16, made_word(place->heap, bin)));
    made_write(place->heap, bin, chunk);
}

void made_add_cached(struct made_heap *heap, uint64_t cache, uint64_t chunk)
{
    uint64_t bin = bin_of(heap, chunk);
    uint64_t entry = cache + 16 + (heap->is_old ? 64 : 128) + 8 * bin;
    uint64_t count = cache + 16 + (heap->is_old ? bin : 2 * bin);
    (*bytes_at(heap, count, 1))++;
    made_write(heap, chunk + 16, link_to(heap, chunk + 16, made_word(heap, entry)));
    made_write(heap, entry, chunk + 16);
}

void made_link(struct made_heap *heap, uint64_t arena, uint64_t bin, uint64_t chunk)
{
    uint64_t place = arena + MADE_BINS + 16 * bin;
    made_write(heap, chunk + 16, place - 16);
    made_write(heap, chunk + 24, place - 16);
    made_write(heap, place, chunk);
    made_write(heap, place + 8, chunk);
}

void made_hold(struct made_heap *heap, uint64_t counter, const uint64_t *words, size_t count)
{
    static const char *const names[MADE_REGISTERS] = {"rip", "rbx", "rbp", "r9",
                                                      "r12", "r13", "r14", "r15"};
    heap->facts.registers = heap->registers;
    heap->facts.register_count = count + 1;
    for (size_t i = 0; i < count + 1; i++) {
        heap->registers[i].value = i == 0 ? counter : words[i - 1];
        strcpy(heap->registers[i].name, names[i]);
    }
}

void made_mapped(struct made_heap *heap, uint64_t start, uint64_t size)
{
    struct made_counts counts = counts_of(heap);
    uint64_t place = MADE_COUNTS + counts.counts;
    uint32_t count = (uint32_t)made_word(heap, place) + 1;
    uint64_t bytes = made_word(heap, MADE_COUNTS + counts.bytes) + size;
    made_write(heap, start, 0);
    made_write(heap, start + 8, size | 2);
    made_write_half(heap, place, count);
    made_write_half(heap, place + 8, count);
    made_write(heap, MADE_COUNTS + counts.bytes, bytes);
    made_write(heap, MADE_COUNTS + counts.bytes + 8, bytes);
}
