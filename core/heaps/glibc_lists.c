/* Free chunks that stay in use as far as their neighbours know: those in the caches of threads
 * (struct tcache_perthread_struct) and in fast bins. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "glibc_arena.h"

#include "error.h"
#include "grow.h"

enum {
    CACHE_BINS = 64,
    COUNTS_8 = CACHE_BINS,      /* bytes of counts until 2.29 */
    COUNTS_16 = 2 * CACHE_BINS, /* since 2.30 */
    ENTRIES = 8 * CACHE_BINS,
    CHUNK_8 = 0x250, /* the chunks of caches, or 16 bytes more where that was too little to cut */
    CHUNK_16 = 0x290,
    HEADER = 16,
    /* Of a thread's storage, on either side of its thread pointer, where libc's variables are. */
    STORAGE = 4096,
    STORAGE_WORDS = STORAGE / 8,
};

/* How the links of lists are kept: since 2.32 each is combined with its own address. */
enum link_kind { LINK_UNKNOWN, LINK_PLAIN, LINK_MANGLED };

/* A chunk that can be a cache. */
struct cache {
    struct asnap_chunk *chunk;
    uint64_t entries[CACHE_BINS];
    unsigned good; /* entries that lead to a chunk of their size */
    unsigned bad;  /* entries that lead elsewhere: a chunk there is being changed, or damaged */
    bool is_named; /* a thread says that it is its */
};

struct lists {
    struct asnap_heap *heap;
    struct asnap_heap_memory *memory;
    const struct asnap_glibc_arena *arenas;
    size_t arena_count;
    const struct asnap_glibc_hands *hands;
    enum link_kind links;
    struct cache *caches; /* by address within a segment */
    size_t count;
    size_t capacity;
    bool is_busy;
    uint64_t bad; /* the address of a free chunk that leads nowhere; 0: none */
};

static uint64_t bin_size(size_t bin)
{
    return ASNAP_GLIBC_CHUNK_MIN + 16 * (uint64_t)bin;
}

/* The chunk that a cache's entry leads to: of its bin's size. NULL: it leads to none. */
static struct asnap_chunk *entry_chunk(const struct lists *lists, uint64_t entry, size_t bin)
{
    struct asnap_chunk *chunk =
        entry % 16 != 0 ? NULL : asnap_heap_chunk_at(lists->heap, entry - HEADER);
    return chunk != NULL && asnap_chunk_size(chunk) == bin_size(bin) ? chunk : NULL;
}

/* Whether what is in a chunk can be a cache. Where a free or malloc is in the middle of changing
 * it, one count differs; where its thread is ending, bins are emptied one after the other, and
 * their counts stay. Of its entries some may lead to chunks that are being changed. */
static bool can_be_cache(const struct lists *lists, const uint8_t *bytes, bool wide,
                         struct cache *cache)
{
    size_t counts_bytes = wide ? COUNTS_16 : COUNTS_8;
    unsigned odd = 0;
    memcpy(cache->entries, bytes + counts_bytes, sizeof(cache->entries));
    for (size_t i = 0; i < CACHE_BINS; i++) {
        uint16_t count = bytes[i];
        bool is_emptied = cache->good + cache->bad == 0 && cache->entries[i] == 0;
        if (wide)
            memcpy(&count, bytes + 2 * i, sizeof(count));
        if (cache->entries[i] != 0 && entry_chunk(lists, cache->entries[i], i) != NULL)
            cache->good++;
        else if (cache->entries[i] != 0)
            cache->bad++;
        odd += (count != 0) != (cache->entries[i] != 0) && !is_emptied;
    }
    return odd <= 1 && cache->bad <= 1 + cache->good / 2;
}

static struct asnap_error *try_cache(struct lists *lists, struct asnap_chunk *chunk)
{
    uint8_t bytes[COUNTS_16 + ENTRIES];
    struct cache cache = {.chunk = chunk};
    bool wide = asnap_chunk_size(chunk) >= CHUNK_16;
    bool is_there = false;
    struct asnap_error *error = asnap_heap_copy(lists->memory, chunk->address + HEADER, bytes,
                                                (wide ? COUNTS_16 : COUNTS_8) + ENTRIES, &is_there);
    if (error != NULL || !is_there || !can_be_cache(lists, bytes, wide, &cache))
        return error;
    struct cache *caches =
        asnap_grow(lists->caches, &lists->capacity, lists->count + 1, sizeof(*caches));
    if (caches == NULL)
        return asnap_error_no_memory();
    lists->caches = caches;
    caches[lists->count++] = cache;
    return NULL;
}

static struct asnap_error *find_caches(struct lists *lists)
{
    struct asnap_heap *heap = lists->heap;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < heap->segment_count; i++) {
        const struct asnap_segment *segment = &heap->segments[i];
        for (size_t k = 0; error == NULL && k < segment->count; k++) {
            struct asnap_chunk *chunk = &heap->chunks[segment->first + k];
            uint64_t size = asnap_chunk_size(chunk);
            bool is_size = size - CHUNK_8 <= 16 || size - CHUNK_16 <= 16;
            if (asnap_chunk_use(chunk) == ASNAP_CHUNK_LIVE && is_size)
                error = try_cache(lists, chunk);
            if (error == NULL)
                error = asnap_heap_ask(lists->memory);
        }
    }
    return error;
}

/* The cache whose block begins at an address; NULL: none does. */
static struct cache *cache_at(const struct lists *lists, uint64_t address)
{
    size_t low = 0;
    size_t high = lists->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lists->caches[middle].chunk->address + HEADER < address)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < lists->count && lists->caches[low].chunk->address + HEADER == address;
    return is_there ? &lists->caches[low] : NULL;
}

static bool is_arena(const struct lists *lists, uint64_t address)
{
    for (size_t i = 0; i < lists->arena_count; i++) {
        if (lists->arenas[i].address == address)
            return true;
    }
    return false;
}

/* A thread's storage, as words. */
struct storage {
    uint64_t words[STORAGE_WORDS];
    size_t count;
};

/* Reads the storage of a thread on the side of its thread pointer where the program's libraries
 * have theirs: below it on x86-64, above it on aarch64. */
static struct asnap_error *read_storage(const struct lists *lists, uint64_t thread_pointer,
                                        bool above, struct storage *storage)
{
    bool is_there = false;
    storage->count = 0;
    if (thread_pointer < STORAGE || thread_pointer % 8 != 0)
        return NULL;
    uint64_t start = above ? thread_pointer : thread_pointer - STORAGE;
    struct asnap_error *error =
        asnap_heap_copy(lists->memory, start, storage->words, sizeof(storage->words), &is_there);
    if (error == NULL && is_there)
        storage->count = STORAGE_WORDS;
    return error;
}

/* Votes for a place of a thread's storage: the variable `tcache` leads to a cache, and near it is
 * `thread_arena`, which leads to an arena. */
static void vote(const struct lists *lists, const struct storage *storage, uint32_t *votes)
{
    enum { NEAR = 16 };
    for (size_t i = 0; i < storage->count; i++) {
        const struct cache *cache = cache_at(lists, storage->words[i]);
        if (cache == NULL)
            continue;
        size_t first = i > NEAR ? i - NEAR : 0;
        size_t end = i + NEAR < storage->count ? i + NEAR : storage->count;
        for (size_t k = first; k < end; k++) {
            if (is_arena(lists, storage->words[k])) {
                votes[i] += cache->bad == 0 ? 2 : 1;
                break;
            }
        }
    }
}

/* Asks all threads, on one side of their thread pointers, where `tcache` is; then takes what it
 * says there. */
static struct asnap_error *ask_threads(struct lists *lists, bool above, struct storage *storage,
                                       uint32_t *votes)
{
    const struct asnap_heap_facts *facts = lists->memory->facts;
    struct asnap_error *error = NULL;
    size_t best = 0;
    memset(votes, 0, STORAGE_WORDS * sizeof(*votes));
    for (size_t i = 0; error == NULL && i < facts->thread_count; i++) {
        error = read_storage(lists, facts->threads[i].thread_pointer, above, storage);
        if (error == NULL)
            vote(lists, storage, votes);
    }
    for (size_t i = 1; i < STORAGE_WORDS; i++) {
        if (votes[i] > votes[best])
            best = i;
    }
    for (size_t i = 0; error == NULL && votes[best] != 0 && i < facts->thread_count; i++) {
        error = read_storage(lists, facts->threads[i].thread_pointer, above, storage);
        struct cache *cache = storage->count == 0 ? NULL : cache_at(lists, storage->words[best]);
        if (cache != NULL)
            cache->is_named = true;
    }
    return error;
}

static struct asnap_error *name_caches(struct lists *lists)
{
    struct storage *storage = malloc(sizeof(*storage));
    uint32_t *votes = calloc(STORAGE_WORDS, sizeof(*votes));
    struct asnap_error *error = NULL;
    if (storage == NULL || votes == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = ask_threads(lists, false, storage, votes);
    if (error == NULL)
        error = ask_threads(lists, true, storage, votes);
    free(storage);
    free(votes);
    return error;
}

static bool is_entry(const struct lists *lists, uint64_t entry, uint64_t size, uint64_t to_chunk)
{
    if (entry == 0)
        return true;
    const struct asnap_chunk *chunk =
        entry % 16 != 0 ? NULL : asnap_heap_chunk_at(lists->heap, entry - to_chunk);
    return chunk != NULL && asnap_chunk_size(chunk) == size;
}

/* What a link says that is kept at `place`. The first one that only one way of keeping it explains
 * tells which it is. */
static uint64_t linked(struct lists *lists, uint64_t place, uint64_t word, uint64_t size,
                       uint64_t to_chunk)
{
    uint64_t revealed = (place >> 12) ^ word;
    if (lists->links == LINK_UNKNOWN) {
        bool plain = is_entry(lists, word, size, to_chunk);
        bool mangled = is_entry(lists, revealed, size, to_chunk);
        if (plain != mangled)
            lists->links = plain ? LINK_PLAIN : LINK_MANGLED;
    }
    return lists->links == LINK_PLAIN ? word : revealed;
}

/* Marks the chunks of a list; each entry leads `to_chunk` bytes behind a chunk, and has its link 16
 * bytes behind that. A list that leads to what is no block, or to the same again, ends there. */
static struct asnap_error *mark_list(struct lists *lists, uint64_t entry, uint64_t size,
                                     uint64_t to_chunk, enum asnap_chunk_use use)
{
    struct asnap_error *error = NULL;
    while (error == NULL && entry != 0) {
        uint64_t word = 0;
        bool is_there = false;
        struct asnap_chunk *chunk =
            entry % 16 != 0 ? NULL : asnap_heap_chunk_at(lists->heap, entry - to_chunk);
        if (chunk == NULL || asnap_chunk_size(chunk) != size ||
            asnap_chunk_use(chunk) != ASNAP_CHUNK_LIVE) {
            lists->bad = entry;
            return NULL;
        }
        asnap_chunk_set_use(chunk, use);
        uint64_t place = chunk->address + HEADER;
        error = asnap_heap_copy(lists->memory, place, &word, sizeof(word), &is_there);
        if (!is_there)
            return error;
        entry = linked(lists, place, word, size, to_chunk);
        if (error == NULL)
            error = asnap_heap_ask(lists->memory);
    }
    return error;
}

static struct asnap_error *mark_cache(struct lists *lists, const struct cache *cache)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < CACHE_BINS; i++)
        error = mark_list(lists, cache->entries[i], bin_size(i), HEADER, ASNAP_CHUNK_CACHED);
    return error;
}

static struct asnap_error *mark_fast_bins(struct lists *lists,
                                          const struct asnap_glibc_arena *arena)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < ASNAP_GLIBC_FAST_BINS; i++)
        error = mark_list(lists, arena->state.fast_bins[i], bin_size(i), 0, ASNAP_CHUNK_FAST);
    return error;
}

/* The chunk at an address, where it counts as live and has this size. */
static struct asnap_chunk *live_chunk(const struct lists *lists, uint64_t address, uint64_t size)
{
    struct asnap_chunk *chunk =
        address % 16 != 0 ? NULL : asnap_heap_chunk_at(lists->heap, address);
    bool is_live = chunk != NULL && asnap_chunk_size(chunk) == size &&
                   asnap_chunk_use(chunk) == ASNAP_CHUNK_LIVE;
    return is_live ? chunk : NULL;
}

/* Marks the chunks from `address` on that are linked as in a fast bin and count as live, up to the
 * end of their list. None where they do not come to that. */
static struct asnap_error *mark_rest(struct lists *lists, uint64_t address, uint64_t size)
{
    const enum asnap_chunk_use uses[] = {ASNAP_CHUNK_FAST, ASNAP_CHUNK_LIVE};
    struct asnap_error *error = NULL;
    uint64_t last = address;
    for (size_t pass = 0; error == NULL && pass < 2 && last != 0; pass++) {
        /* The second pass takes back what the first one has marked. */
        uint64_t at = address;
        while (error == NULL && at != 0 && (pass == 0 || at != last)) {
            uint64_t word = 0;
            bool is_there = false;
            struct asnap_chunk *chunk =
                pass == 0 ? live_chunk(lists, at, size) : asnap_heap_chunk_at(lists->heap, at);
            if (chunk == NULL)
                break;
            asnap_chunk_set_use(chunk, uses[pass]);
            error = asnap_heap_copy(lists->memory, at + HEADER, &word, sizeof(word), &is_there);
            at = is_there ? linked(lists, at + HEADER, word, size, 0) : 1;
            if (error == NULL)
                error = asnap_heap_ask(lists->memory);
        }
        if (pass == 0)
            last = at;
    }
    return error;
}

/* malloc_consolidate takes a fast bin's list away, and then has it nowhere but in a register, which
 * leads to the next chunk, beside one that leads to the bin; or in two, which are the link as it is
 * kept and what it is combined with. */
static struct asnap_error *mark_held(struct lists *lists, const struct asnap_glibc_hand *hand,
                                     uint64_t size)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < hand->register_count; i++) {
        if (live_chunk(lists, hand->words[i], size) != NULL)
            error = mark_rest(lists, hand->words[i], size);
        for (size_t k = 0; error == NULL && k < i; k++) {
            uint64_t next = hand->words[i] ^ hand->words[k];
            if (live_chunk(lists, next, size) != NULL)
                error = mark_rest(lists, next, size);
        }
    }
    return error;
}

static struct asnap_error *mark_held_lists(struct lists *lists,
                                           const struct asnap_glibc_arena *arena)
{
    uint64_t bins = arena->address + offsetof(struct asnap_glibc_state, fast_bins);
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < lists->hands->count; i++) {
        const struct asnap_glibc_hand *hand = &lists->hands->hands[i];
        for (size_t bin = 0; error == NULL && bin < ASNAP_GLIBC_FAST_BINS; bin++) {
            if (asnap_glibc_hand_has(hand, bins + 8 * bin))
                error = mark_held(lists, hand, bin_size(bin));
        }
    }
    return error;
}

/* Whether a chunk is the first of an arena's memory, where a thread's first allocation puts its
 * cache. */
static bool is_first(const struct lists *lists, const struct asnap_chunk *chunk)
{
    const struct asnap_segment *segment = asnap_heap_segment(lists->heap, chunk->address);
    return segment != NULL && &lists->heap->chunks[segment->first] == chunk;
}

/* A cache that holds free chunks is one; one that holds none is told from a block of zeros by a
 * thread that has it, or by where it lies. */
static struct asnap_error *mark_caches(struct lists *lists)
{
    struct asnap_error *error = NULL;
    size_t found = 0;
    for (size_t i = 0; i < lists->count; i++) {
        const struct cache *cache = &lists->caches[i];
        bool is_filled = cache->good > 2 * cache->bad;
        bool is_empty = cache->good + cache->bad == 0;
        if (!is_filled && !cache->is_named && !(is_empty && is_first(lists, cache->chunk)))
            continue;
        found++;
        asnap_chunk_set_use(cache->chunk, ASNAP_CHUNK_OWN);
    }
    for (size_t i = 0; error == NULL && i < lists->count; i++) {
        if (asnap_chunk_use(lists->caches[i].chunk) == ASNAP_CHUNK_OWN)
            error = mark_cache(lists, &lists->caches[i]);
    }
    if (error == NULL && found == 0 && lists->heap->chunk_count != 0)
        error = asnap_heap_add_note(
            lists->heap, "no thread's cache of free blocks is found (another version of glibc, or "
                         "one built without): what is in caches counts as live");
    return error;
}

struct asnap_error *asnap_glibc_mark_free(struct asnap_heap *heap, struct asnap_heap_memory *memory,
                                          const struct asnap_glibc_arena *arenas, size_t count,
                                          const struct asnap_glibc_hands *hands)
{
    struct lists lists = {
        .heap = heap, .memory = memory, .arenas = arenas, .arena_count = count, .hands = hands};
    struct asnap_error *error = find_caches(&lists);
    if (error == NULL)
        error = name_caches(&lists);
    if (error == NULL)
        error = mark_caches(&lists);
    for (size_t i = 0; error == NULL && i < count; i++)
        error = mark_fast_bins(&lists, &arenas[i]);
    for (size_t i = 0; error == NULL && i < count; i++)
        error = mark_held_lists(&lists, &arenas[i]);
    if (error == NULL && lists.bad != 0)
        error = asnap_heap_add_note(heap,
                                    "a list of free blocks leads to 0x%" PRIx64
                                    ", which is none, or to one twice: it was "
                                    "being changed, or the program has written to memory that it "
                                    "had freed; what follows in "
                                    "the list counts as live",
                                    lists.bad);
    free(lists.caches);
    return error;
}
