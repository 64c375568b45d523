/* The heaps of a program that uses glibc's malloc: its arenas with all their memory, and large
 * blocks. */
#include <inttypes.h>
#include <stdlib.h>

#include "glibc_arena.h"

#include "error.h"
#include "grow.h"

/* A heap of an arena that is not the main one (struct heap_info): it is aligned to its largest
 * size, and its arena's state stands in the first of them. */
struct heap_info {
    uint64_t arena;
    uint64_t before; /* the heap that was full before this one; 0: none */
    uint64_t size;
    uint64_t usable; /* bytes that were made accessible; 0 in none */
};

/* Bytes of a heap_info: since 2.35 it has one more word, and one to fill up. */
enum { HEAP_INFO_OLD = 32, HEAP_INFO = 48, PAGE = 4096, HEAPS_MOST = 4096, ARENAS_MOST = 65536 };

#define HEAP_BYTES ((uint64_t)64 << 20)

struct reading {
    struct asnap_heap *heap;
    struct asnap_heap_memory memory;
    struct asnap_glibc_hands hands;
    struct asnap_glibc_arena *arenas; /* all of them; the main ones first */
    size_t count;
    size_t capacity;
    size_t main_count;
};

static struct asnap_error *note_walk(const struct reading *reading,
                                     const struct asnap_glibc_walk *walk)
{
    const struct asnap_heap *heap = reading->heap;
    uint64_t address = walk->arena->address;
    uint64_t first = 0;
    size_t places = 0;
    struct asnap_error *error = NULL;
    bool is_busy = walk->is_busy || walk->arena->state.mutex != 0;
    for (size_t i = heap->area_ends[walk->area]; walk->lost != 0 && i < heap->chunk_count; i++) {
        if (asnap_chunk_use(&heap->chunks[i]) != ASNAP_CHUNK_LOST)
            continue;
        first = places++ == 0 ? heap->chunks[i].address : first;
    }
    if (places != 0)
        error = asnap_heap_add_note(
            reading->heap,
            "the arena at 0x%" PRIx64 " is broken at %zu places, the first 0x%" PRIx64
            ": the size of a chunk was being changed or is overwritten, or cannot be read; blocks "
            "there are missing here",
            address, places, first);
    if (error == NULL && is_busy)
        error = asnap_heap_add_note(reading->heap,
                                    "the arena at 0x%" PRIx64
                                    " was being changed: the block in flight may be missing, or "
                                    "here although it was freed",
                                    address);
    if (error == NULL && !walk->saw_top && walk->arena->has_top &&
        walk->arena->state.system_mem != 0)
        error = asnap_heap_add_note(reading->heap,
                                    "the memory of the arena at 0x%" PRIx64
                                    " is not found up to its end: blocks are missing here",
                                    address);
    return error;
}

/* Whether an address is in memory of this area that was walked. */
static bool is_walked(const struct reading *reading, const struct asnap_glibc_walk *walk,
                      uint64_t address, uint64_t *end)
{
    const struct asnap_heap *heap = reading->heap;
    for (size_t i = heap->segment_count; i > 0 && heap->segments[i - 1].area == walk->area; i--) {
        if (address >= heap->segments[i - 1].start && address < heap->segments[i - 1].end) {
            *end = heap->segments[i - 1].end;
            return true;
        }
    }
    return false;
}

/* Walks chunks that begin with a page and lead to a fence or to the top. */
static struct asnap_error *walk_page(struct reading *reading, struct asnap_glibc_walk *walk,
                                     uint64_t page, uint64_t end)
{
    enum { FENCES = 32 };
    uint64_t words[2];
    uint64_t last = 0;
    bool is_there = false;
    struct asnap_error *error =
        asnap_heap_header(&reading->memory, &reading->memory.here, page, words, &is_there);
    if (error != NULL || !is_there || (words[1] & ASNAP_GLIBC_BITS) != ASNAP_GLIBC_PREV_INUSE)
        return error;
    error = asnap_glibc_chain_end(walk, page, end, &last);
    if (error != NULL || last == 0)
        return error;
    if (last != walk->arena->state.top) {
        if (end - last < FENCES || (last + FENCES) % PAGE != 0)
            return NULL;
        end = last + FENCES;
    }
    return asnap_glibc_walk_memory(walk, page, end);
}

/* Memory of the main arena that is not from brk(2), but from mmap(2). */
static struct asnap_error *walk_mappings(struct reading *reading, struct asnap_glibc_walk *walk)
{
    const struct asnap_heap_facts *facts = reading->memory.facts;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (!asnap_heap_is_writable(region) || (region->path != NULL && region->path[0] == '/'))
            continue;
        for (uint64_t page = region->start; error == NULL && page < region->end;) {
            uint64_t end;
            if (is_walked(reading, walk, page, &end)) {
                page = (end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
                continue;
            }
            error = walk_page(reading, walk, page, region->end);
            if (error == NULL)
                error = asnap_heap_ask(&reading->memory);
            if (!is_walked(reading, walk, page, &end))
                page += PAGE;
        }
    }
    return error;
}

static struct asnap_error *begin_area(struct reading *reading, struct asnap_glibc_walk *walk,
                                      enum asnap_heap_area_kind kind, uint64_t start)
{
    const struct asnap_glibc_arena *arena = walk->arena;
    struct asnap_heap_area area = {
        .address = arena->address,
        .start = start,
        .size = arena->state.system_mem,
        .kind = kind,
        .is_busy = arena->state.mutex != 0,
    };
    walk->area = (uint32_t)reading->heap->area_count;
    return asnap_heap_add_area(reading->heap, &area);
}

static struct asnap_error *end_area(struct reading *reading, struct asnap_glibc_walk *walk)
{
    struct asnap_heap_area *area = &reading->heap->areas[walk->area];
    area->is_busy = area->is_busy || walk->is_busy;
    return note_walk(reading, walk);
}

/* The first chunk of memory from brk(2): a chunk's block is aligned to 16 bytes. */
static uint64_t aligned(uint64_t address)
{
    return (address + 15) & ~UINT64_C(15);
}

static struct asnap_error *read_main(struct reading *reading, const struct asnap_glibc_arena *arena,
                                     const struct asnap_glibc_counts *counts)
{
    struct asnap_glibc_walk walk = {.heap = reading->heap,
                                    .memory = &reading->memory,
                                    .arena = arena,
                                    .hands = &reading->hands};
    const struct asnap_heap_facts *facts = reading->memory.facts;
    uint64_t start =
        counts->is_known ? counts->brk_start : asnap_heap_run_start(facts, arena->state.top);
    struct asnap_error *error = begin_area(reading, &walk, ASNAP_AREA_MAIN, start);
    if (error == NULL)
        error = asnap_heap_add_structure(reading->heap, arena->address,
                                         arena->address + sizeof(arena->state));
    if (error == NULL && counts->is_known)
        error = asnap_heap_add_structure(reading->heap, counts->address, counts->end);
    if (arena->state.system_mem == 0 || error != NULL)
        return error;
    uint64_t end = asnap_heap_run_end(facts, start);
    if (start != 0 && end > start)
        error = asnap_glibc_walk_memory(&walk, aligned(start), end);
    if (error == NULL && (!walk.saw_top || (arena->state.flags & ASNAP_GLIBC_NOT_CONTIGUOUS) != 0))
        error = walk_mappings(reading, &walk);
    return error != NULL ? error : end_area(reading, &walk);
}

/* Reads the heap_info at an address; `is_heap` becomes whether it is one of this arena. */
static struct asnap_error *read_info(struct reading *reading, const struct asnap_glibc_arena *arena,
                                     uint64_t address, struct heap_info *info, bool *is_heap)
{
    bool is_there = false;
    struct asnap_error *error =
        asnap_heap_copy(&reading->memory, address, info, sizeof(*info), &is_there);
    *is_heap = error == NULL && is_there && info->arena == arena->address &&
               info->size % PAGE == 0 && info->size >= PAGE && info->size <= arena->heap_bytes &&
               info->before % arena->heap_bytes == 0;
    return error;
}

/* What the heaps of an arena are aligned to: 64 MiB, or four huge pages where the program has
 * glibc.malloc.hugetlb=2. 0: it is in no heap. */
static struct asnap_error *find_heap_bytes(struct reading *reading, struct asnap_glibc_arena *arena,
                                           const struct asnap_glibc_counts *counts)
{
    const uint64_t sizes[] = {HEAP_BYTES, 4 * counts->huge_page};
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct heap_info info;
        bool is_heap = false;
        uint64_t size = sizes[i];
        if (size < PAGE || (size & (size - 1)) != 0)
            continue;
        uint64_t offset = arena->address % size;
        if (offset != HEAP_INFO && offset != HEAP_INFO_OLD)
            continue;
        arena->heap_bytes = size;
        error = read_info(reading, arena, arena->address - offset, &info, &is_heap);
        if (is_heap && info.before == 0)
            return error;
        arena->heap_bytes = 0;
    }
    return error;
}

static bool is_listed(const struct asnap_address_range *heaps, size_t count, uint64_t address)
{
    for (size_t i = 0; i < count; i++) {
        if (heaps[i].start == address)
            return true;
    }
    return false;
}

/* The heaps of an arena. */
struct heap_list {
    struct asnap_address_range *heaps;
    size_t count;
    size_t capacity;
};

static struct asnap_error *add_heap(struct heap_list *list, uint64_t address, uint64_t size)
{
    struct asnap_address_range *heaps =
        asnap_grow(list->heaps, &list->capacity, list->count + 1, sizeof(*heaps));
    if (heaps == NULL)
        return asnap_error_no_memory();
    list->heaps = heaps;
    heaps[list->count++] = (struct asnap_address_range){address, address + size};
    return NULL;
}

/* Lists them, the newest first: from the one that the top is in. `is_whole` becomes whether they
 * lead to the first one. */
static struct asnap_error *list_heaps(struct reading *reading,
                                      const struct asnap_glibc_arena *arena, struct heap_list *list,
                                      bool *is_whole)
{
    uint64_t address = arena->state.top & ~(arena->heap_bytes - 1);
    struct asnap_error *error = NULL;
    while (error == NULL && address != 0) {
        struct heap_info info;
        bool is_heap = false;
        error = read_info(reading, arena, address, &info, &is_heap);
        bool is_first = address == (arena->address & ~(arena->heap_bytes - 1));
        if (error != NULL)
            return error;
        *is_whole = is_heap && is_first;
        if (!is_heap || list->count >= HEAPS_MOST || is_listed(list->heaps, list->count, address))
            return NULL;
        error = add_heap(list, address, info.size);
        address = is_first ? 0 : info.before;
    }
    return error;
}

/* Lists them by what stands where heaps begin, the newest ones are first: the top may be in one
 * that was just given back. */
static struct asnap_error *search_heaps(struct reading *reading,
                                        const struct asnap_glibc_arena *arena,
                                        struct heap_list *list, bool *is_whole)
{
    const struct asnap_heap_facts *facts = reading->memory.facts;
    uint64_t first = arena->address & ~(arena->heap_bytes - 1);
    struct asnap_error *error = NULL;
    list->count = 0;
    *is_whole = false;
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        uint64_t at = (region->start + arena->heap_bytes - 1) & ~(arena->heap_bytes - 1);
        for (; error == NULL && asnap_heap_is_writable(region) && at >= region->start &&
               at < region->end && list->count < HEAPS_MOST;
             at += arena->heap_bytes) {
            struct heap_info info;
            bool is_heap = false;
            error = read_info(reading, arena, at, &info, &is_heap);
            *is_whole = *is_whole || (is_heap && at == first);
            if (error == NULL && is_heap)
                error = add_heap(list, at, info.size);
        }
    }
    return error;
}

static struct asnap_error *find_heaps(struct reading *reading, struct asnap_glibc_walk *walk,
                                      struct heap_list *list)
{
    const struct asnap_glibc_arena *arena = walk->arena;
    bool is_whole = false;
    struct asnap_error *error = list_heaps(reading, arena, list, &is_whole);
    if (error != NULL || is_whole)
        return error;
    walk->is_busy = true;
    error = search_heaps(reading, arena, list, &is_whole);
    if (error == NULL && (arena->has_top || !is_whole))
        error = asnap_heap_add_note(reading->heap,
                                    "a heap of the arena at 0x%" PRIx64
                                    " is damaged or cannot be read: the blocks in it are missing "
                                    "here",
                                    arena->address);
    return error;
}

static struct asnap_error *walk_heaps(struct asnap_glibc_walk *walk,
                                      const struct asnap_address_range *heaps, size_t count)
{
    const struct asnap_glibc_arena *arena = walk->arena;
    uint64_t info_bytes = arena->address % arena->heap_bytes;
    struct asnap_error *error = NULL;
    for (size_t i = count; error == NULL && i-- > 0;) {
        uint64_t start = heaps[i].start + info_bytes;
        if (start == arena->address)
            start = aligned(start + sizeof(arena->state));
        if (start < heaps[i].end)
            error = asnap_glibc_walk_memory(walk, start, heaps[i].end);
    }
    return error;
}

static struct asnap_error *read_other(struct reading *reading, struct asnap_glibc_arena *arena,
                                      const struct asnap_glibc_counts *counts)
{
    struct asnap_glibc_walk walk = {.heap = reading->heap,
                                    .memory = &reading->memory,
                                    .arena = arena,
                                    .hands = &reading->hands};
    struct heap_list list = {0};
    struct asnap_error *error = find_heap_bytes(reading, arena, counts);
    if (error == NULL && arena->heap_bytes == 0)
        return asnap_heap_add_note(reading->heap,
                                   "the arena at 0x%" PRIx64 " is not at the start of a heap of "
                                   "its own: it is passed over, and its blocks are missing here",
                                   arena->address);
    if (error == NULL)
        error =
            begin_area(reading, &walk, ASNAP_AREA_ARENA, arena->address & ~(arena->heap_bytes - 1));
    if (error == NULL)
        error = find_heaps(reading, &walk, &list);
    if (error == NULL)
        error = walk_heaps(&walk, list.heaps, list.count);
    free(list.heaps);
    return error != NULL ? error : end_area(reading, &walk);
}

static struct asnap_error *add_arena(struct reading *reading, const struct asnap_glibc_arena *arena)
{
    struct asnap_glibc_arena *arenas =
        asnap_grow(reading->arenas, &reading->capacity, reading->count + 1, sizeof(*arenas));
    if (arenas == NULL)
        return asnap_error_no_memory();
    reading->arenas = arenas;
    arenas[reading->count++] = *arena;
    return NULL;
}

static bool is_known(const struct reading *reading, uint64_t address)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->arenas[i].address == address)
            return true;
    }
    return false;
}

/* The arenas of one C library: from the main one by `next`, until that leads back. */
static struct asnap_error *read_ring(struct reading *reading, size_t main_place)
{
    struct asnap_glibc_counts counts;
    struct asnap_glibc_arena main_arena = reading->arenas[main_place];
    struct asnap_error *error = asnap_glibc_find_counts(&reading->memory, &main_arena, &counts);
    if (error == NULL)
        error = read_main(reading, &main_arena, &counts);
    uint64_t next = main_arena.state.next;
    while (error == NULL && next != main_arena.address) {
        struct asnap_glibc_arena arena = {0};
        bool is_arena = false;
        if (!is_known(reading, next) && reading->count < ARENAS_MOST)
            error = asnap_glibc_read_arena(&reading->memory, next, &arena, &is_arena);
        if (error == NULL && !is_arena)
            return asnap_heap_add_note(reading->heap,
                                       "the list of arenas leads to 0x%" PRIx64
                                       ", where none is, or to one twice: those "
                                       "behind it are missing here",
                                       next);
        if (error == NULL)
            error = read_other(reading, &arena, &counts);
        if (error == NULL)
            error = add_arena(reading, &arena);
        next = arena.state.next;
    }
    asnap_heap_sort_segments(reading->heap);
    return error != NULL ? error
                         : asnap_glibc_mapped_blocks(reading->heap, &reading->memory, &counts,
                                                     &reading->hands);
}

/* Memory of arenas in which no block is live is the allocator's all the same. */
static struct asnap_error *add_unused(struct asnap_heap *heap)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < heap->segment_count; i++) {
        const struct asnap_segment *segment = &heap->segments[i];
        size_t live = 0;
        for (size_t k = 0; live == 0 && k < segment->count; k++)
            live += asnap_chunk_use(&heap->chunks[segment->first + k]) == ASNAP_CHUNK_LIVE;
        if (live == 0)
            error = asnap_heap_add_structure(heap, segment->start, segment->end);
    }
    return error;
}

static struct asnap_error *read_all(struct reading *reading, bool *is_found)
{
    struct asnap_error *error =
        asnap_glibc_main_arenas(&reading->memory, &reading->arenas, &reading->main_count);
    reading->count = reading->capacity = reading->main_count;
    *is_found = reading->count != 0;
    for (size_t i = 0; error == NULL && i < reading->main_count; i++)
        error =
            asnap_glibc_hands_add(&reading->hands, &reading->memory, reading->arenas[i].address);
    asnap_glibc_hands_sort(&reading->hands);
    for (size_t i = 0; error == NULL && i < reading->main_count; i++)
        error = read_ring(reading, i);
    if (error == NULL && *is_found)
        error = asnap_glibc_mark_free(reading->heap, &reading->memory, reading->arenas,
                                      reading->count, &reading->hands);
    return error != NULL ? error : add_unused(reading->heap);
}

static struct asnap_error *read_glibc(const struct asnap_heap_facts *facts, struct asnap_heap *heap,
                                      bool *is_found)
{
    struct reading reading = {.heap = heap};
    struct asnap_error *error = asnap_heap_memory_init(&reading.memory, facts);
    if (error == NULL)
        error = read_all(&reading, is_found);
    asnap_heap_memory_deinit(&reading.memory);
    asnap_glibc_hands_deinit(&reading.hands);
    free(reading.arenas);
    return error;
}

const struct asnap_heap_reader asnap_glibc_reader = {.name = "glibc", .read = read_glibc};
