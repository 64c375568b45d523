/* Finding glibc's arenas: by their symbol, or by what must hold of one. */
#include "glibc_arena.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

_Static_assert(sizeof(struct asnap_glibc_state) == 2200, "struct malloc_state");

/* More arenas than this are no arenas; each takes its own 64 MiB. */
enum { ARENAS_MOST = 65536 };

/* Data of one file that is searched; more is no C library's. */
#define SEARCHED_MOST ((uint64_t)64 << 20)

/* No program has more memory. */
#define MEMORY_MOST ((uint64_t)1 << 56)

/* Bins whose neighbours do not lead back: a chunk is on its way in or out. */
enum { ODD_BINS_MOST = 2 };

static const uint64_t bins_offset = offsetof(struct asnap_glibc_state, bins);

/* Where a bin would be if it were a chunk: its two words are those of a list. */
static uint64_t bin_chunk(uint64_t arena, size_t bin)
{
    return arena + bins_offset + 16 * bin - 16;
}

/* Whether it is a main arena as it is in the file: nothing was allocated from it yet. */
static bool is_unused(const struct asnap_glibc_state *state, uint64_t address)
{
    struct asnap_glibc_state unused = {.next = address, .attached_threads = 1};
    return memcmp(state, &unused, sizeof(unused)) == 0;
}

/* What can be said of a state by itself. */
static bool is_possible(const struct asnap_glibc_state *state, uint64_t address)
{
    if ((uint32_t)state->mutex > 2 || state->flags > 7 || (uint32_t)state->have_fastchunks > 1 ||
        state->top == 0 || state->top % 16 != 0 || state->next == 0 || state->next % 8 != 0 ||
        state->system_mem > MEMORY_MOST || state->max_system_mem > MEMORY_MOST ||
        state->attached_threads > UINT32_MAX)
        return false;
    for (size_t i = 0; i < ASNAP_GLIBC_FAST_BINS; i++) {
        if (state->fast_bins[i] % 16 != 0)
            return false;
    }
    for (size_t i = 0; i < ASNAP_GLIBC_BINS; i++) {
        uint64_t self = bin_chunk(address, i);
        const uint64_t *bin = &state->bins[2 * i];
        if (bin[0] == 0 || bin[1] == 0 || (bin[0] != self && bin[0] % 16 != 0) ||
            (bin[1] != self && bin[1] % 16 != 0))
            return false;
    }
    return true;
}

/* Whether the chunks at both ends of a bin lead back to it. */
static struct asnap_error *leads_back(struct asnap_heap_memory *memory, uint64_t self,
                                      const uint64_t bin[2], bool *does)
{
    uint64_t first[4] = {0};
    uint64_t last[4] = {0};
    bool is_first = false;
    bool is_last = false;
    struct asnap_error *error = asnap_heap_copy(memory, bin[0], first, sizeof(first), &is_first);
    if (error == NULL && is_first)
        error = asnap_heap_copy(memory, bin[1], last, sizeof(last), &is_last);
    *does = is_first && is_last && first[3] == self && last[2] == self;
    return error;
}

static struct asnap_error *check_bins(struct asnap_heap_memory *memory,
                                      const struct asnap_glibc_state *state, uint64_t address,
                                      bool *are_bins)
{
    unsigned odd = 0;
    for (size_t i = 0; i < ASNAP_GLIBC_BINS && odd <= ODD_BINS_MOST; i++) {
        uint64_t self = bin_chunk(address, i);
        const uint64_t *bin = &state->bins[2 * i];
        bool does = bin[0] == self && bin[1] == self;
        struct asnap_error *error = does ? NULL : leads_back(memory, self, bin, &does);
        if (error != NULL)
            return error;
        odd += !does;
    }
    *are_bins = odd <= ODD_BINS_MOST;
    return NULL;
}

struct asnap_error *asnap_glibc_read_arena(struct asnap_heap_memory *memory, uint64_t address,
                                           struct asnap_glibc_arena *arena, bool *is_arena)
{
    struct asnap_glibc_state *state = &arena->state;
    bool is_there = false;
    *is_arena = false;
    if (address == 0 || address % 8 != 0)
        return NULL;
    struct asnap_error *error = asnap_heap_copy(memory, address, state, sizeof(*state), &is_there);
    *is_arena = error == NULL && is_there && is_unused(state, address);
    if (*is_arena) {
        arena->address = address;
        arena->has_top = true;
    }
    if (error != NULL || !is_there || *is_arena || !is_possible(state, address))
        return error;
    /* Before it has memory, the top is the first bin. */
    arena->has_top = state->top == bin_chunk(address, 0) ||
                     asnap_heap_is_writable(asnap_heap_region(memory->facts, state->top));
    if (asnap_heap_region(memory->facts, state->next) == NULL)
        return NULL;
    arena->address = address;
    return check_bins(memory, state, address, is_arena);
}

/* The arenas that a search has found. */
struct search {
    struct asnap_heap_memory *memory;
    struct asnap_glibc_arena *arenas;
    size_t count;
    size_t capacity;
};

static struct asnap_error *try_arena(struct search *search, uint64_t address)
{
    bool is_arena = false;
    for (size_t i = 0; i < search->count; i++) {
        if (search->arenas[i].address == address)
            return NULL;
    }
    struct asnap_glibc_arena *arenas =
        asnap_grow(search->arenas, &search->capacity, search->count + 1, sizeof(*arenas));
    if (arenas == NULL)
        return asnap_error_no_memory();
    search->arenas = arenas;
    arenas[search->count] = (struct asnap_glibc_arena){.is_main = true};
    struct asnap_error *error =
        asnap_glibc_read_arena(search->memory, address, &arenas[search->count], &is_arena);
    search->count += is_arena && arenas[search->count].has_top;
    return error;
}

/* Looks for the one pointer in an unused arena, which leads to itself. */
static struct asnap_error *search_unused(struct search *search, uint64_t start,
                                         const uint64_t *words, size_t count)
{
    const size_t next = offsetof(struct asnap_glibc_state, next) / 8;
    const size_t size = sizeof(struct asnap_glibc_state) / 8;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i + size <= count; i++) {
        if (words[i + next] == start + 8 * i &&
            is_unused((const struct asnap_glibc_state *)(words + i), start + 8 * i))
            error = try_arena(search, start + 8 * i);
    }
    return error;
}

/* Looks for empty bins, which lead to themselves, and for an arena around them. */
static struct asnap_error *search_words(struct search *search, uint64_t start,
                                        const uint64_t *words, size_t count)
{
    const size_t first_bin = bins_offset / 8;
    const size_t size = sizeof(struct asnap_glibc_state) / 8;
    size_t untried[2] = {0}; /* those of even and odd words before these were tried */
    struct asnap_error *error = NULL;
    for (size_t i = first_bin; error == NULL && i + 1 < count; i++) {
        uint64_t self = start + 8 * i - 16;
        if (words[i] != self || words[i + 1] != self)
            continue;
        size_t last = i - first_bin;
        size_t bins_before = 2 * (size_t)(ASNAP_GLIBC_BINS - 1);
        size_t first = last > bins_before ? last - bins_before : last % 2;
        if (first < untried[last % 2])
            first = untried[last % 2];
        for (size_t at = first; error == NULL && at <= last && at + size <= count; at += 2) {
            struct asnap_glibc_state state;
            memcpy(&state, words + at, sizeof(state));
            if (is_possible(&state, start + 8 * at))
                error = try_arena(search, start + 8 * at);
        }
        untried[last % 2] = last + 2;
        if (error == NULL)
            error = asnap_heap_ask(search->memory);
    }
    return error;
}

/* Whether a file is a program or library: code of it is mapped as well. */
static bool is_loaded(const struct asnap_heap_facts *facts, const char *path)
{
    for (size_t i = 0; i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if ((region->flags & ASNAP_REGION_EXECUTABLE) != 0 && region->path != NULL &&
            strcmp(region->path, path) == 0)
            return true;
    }
    return false;
}

static struct asnap_error *search_region(struct search *search, const struct asnap_region *region)
{
    uint64_t bytes = region->end - region->start;
    bool is_there = false;
    if (bytes > SEARCHED_MOST || bytes < sizeof(struct asnap_glibc_state))
        return NULL;
    uint64_t *words = malloc((size_t)bytes);
    if (words == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error =
        asnap_heap_copy(search->memory, region->start, words, (size_t)bytes, &is_there);
    if (error == NULL && is_there)
        error = search_words(search, region->start, words, (size_t)bytes / 8);
    if (error == NULL && is_there)
        error = search_unused(search, region->start, words, (size_t)bytes / 8);
    free(words);
    return error;
}

struct asnap_error *asnap_glibc_main_arenas(struct asnap_heap_memory *memory,
                                            struct asnap_glibc_arena **arenas, size_t *count)
{
    const struct asnap_heap_facts *facts = memory->facts;
    struct search search = {.memory = memory};
    struct asnap_error *error = NULL;
    if (facts->main_arena != 0)
        error = try_arena(&search, facts->main_arena);
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (asnap_heap_is_writable(region) && region->path != NULL && region->path[0] == '/' &&
            is_loaded(facts, region->path))
            error = search_region(&search, region);
    }
    if (error != NULL) {
        free(search.arenas);
        return error;
    }
    *arenas = search.arenas;
    *count = search.count;
    return NULL;
}

/* Where the fields of struct malloc_par are: since 2.35 three more stand before them. */
struct layout {
    size_t counts;    /* n_mmaps, n_mmaps_max, max_n_mmaps, no_dyn_threshold: 32 bits each */
    size_t bytes;     /* mmapped_mem, max_mmapped_mem */
    size_t brk_start; /* sbrk_base; tcache_bins, tcache_max_bytes, tcache_count follow it */
    size_t huge_page; /* hp_pagesize; 0: there is none */
};

static const struct layout layouts[] = {
    {.counts = 60, .bytes = 80, .brk_start = 96, .huge_page = 48},
    {.counts = 40, .bytes = 56, .brk_start = 72},
};

enum { COUNTS_BYTES = 128, PAGE = 4096, CACHE_BINS = 64 };

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
    uint64_t word;
    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

static uint32_t half_at(const uint8_t *bytes, size_t offset)
{
    uint32_t half;
    memcpy(&half, bytes + offset, sizeof(half));
    return half;
}

/* Whether the largest block that is cached goes with the number of a cache's bins, as the tunables
 * glibc.malloc.tcache_max and so on leave them. */
static bool are_cache_limits(const uint8_t *bytes, size_t offset)
{
    uint64_t bins = word_at(bytes, offset);
    uint64_t most = word_at(bytes, offset + 8);
    uint64_t largest = 16 * bins + 8;
    return bins <= CACHE_BINS && most <= largest && largest - most < 32 &&
           word_at(bytes, offset + 16) <= UINT16_MAX;
}

/* Whether there is a struct malloc_par of a layout, of a program whose main arena has this top and
 * has memory by brk(2), or has none. */
static bool are_counts(const struct asnap_heap_memory *memory, const uint8_t *bytes,
                       const struct layout *layout, const struct asnap_glibc_arena *arena,
                       bool by_brk)
{
    uint64_t brk_start = word_at(bytes, layout->brk_start);
    uint64_t mapped = word_at(bytes, layout->bytes);
    uint64_t top = arena->state.top;
    bool is_split = (arena->state.flags & ASNAP_GLIBC_NOT_CONTIGUOUS) != 0;
    bool has_brk = asnap_heap_is_writable(asnap_heap_region(memory->facts, brk_start)) &&
                   (is_split || (top >= brk_start && top - brk_start <= arena->state.system_mem &&
                                 (brk_start + arena->state.system_mem) % PAGE == 0));
    /* Else most of it could be zero anywhere: arena_test, n_mmaps_max and the bins are not. */
    bool has_none = brk_start == 0 && word_at(bytes, 24) != 0 &&
                    half_at(bytes, layout->counts + 4) != 0 &&
                    word_at(bytes, layout->brk_start + 8) != 0;
    return (by_brk ? has_brk : has_none) && are_cache_limits(bytes, layout->brk_start + 8) &&
           half_at(bytes, layout->counts) <= INT32_MAX &&
           half_at(bytes, layout->counts) <= half_at(bytes, layout->counts + 8) &&
           half_at(bytes, layout->counts + 4) <= INT32_MAX &&
           half_at(bytes, layout->counts + 12) <= 1 && mapped % PAGE == 0 &&
           mapped <= word_at(bytes, layout->bytes + 8);
}

static void take_counts(const struct asnap_heap_memory *memory, const uint8_t *bytes,
                        uint64_t address, const struct asnap_glibc_arena *arena, bool by_brk,
                        struct asnap_glibc_counts *counts)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        const struct layout *layout = &layouts[i];
        if (!are_counts(memory, bytes, layout, arena, by_brk))
            continue;
        *counts = (struct asnap_glibc_counts){
            .is_known = true,
            .address = address,
            .end = address + layout->brk_start + 40,
            .mapped_count = half_at(bytes, layout->counts),
            .mapped_bytes = word_at(bytes, layout->bytes),
            .brk_start = word_at(bytes, layout->brk_start),
            .huge_page = layout->huge_page == 0 ? 0 : word_at(bytes, layout->huge_page),
        };
        return;
    }
}

struct asnap_error *asnap_glibc_find_counts(struct asnap_heap_memory *memory,
                                            const struct asnap_glibc_arena *main_arena,
                                            struct asnap_glibc_counts *counts)
{
    const struct asnap_region *region = asnap_heap_region(memory->facts, main_arena->address);
    bool is_there = false;
    *counts = (struct asnap_glibc_counts){0};
    if (region == NULL || region->end - region->start > SEARCHED_MOST)
        return NULL;
    size_t bytes = (size_t)(region->end - region->start);
    uint8_t *copy = malloc(bytes);
    if (copy == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_heap_copy(memory, region->start, copy, bytes, &is_there);
    for (unsigned pass = 0; error == NULL && is_there && !counts->is_known && pass < 2; pass++) {
        for (size_t at = 0; at + COUNTS_BYTES <= bytes && !counts->is_known; at += 8)
            take_counts(memory, copy + at, region->start + at, main_arena, pass == 0, counts);
    }
    free(copy);
    return error;
}
