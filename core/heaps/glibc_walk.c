/* Walking an arena's memory: each chunk's size leads to the next one. A program stops anywhere,
 * also while a size is being changed, and may have overwritten one: then the chain is taken up
 * again where chunks follow each other. */
#include <inttypes.h>
#include <string.h>

#include "glibc_arena.h"

#include "error.h"

enum {
    PAGE = 4096,
    CHAIN_STEPS = 12,    /* so many chunks in a row are no accident */
    BREAKS_MOST = 256,   /* of one piece of memory; it is given up then */
    CHAINS_MOST = 100000 /* that are tried to take one up again */
};

/* Chunks of an arena that are looked at ahead of the walk. */
#define LOOKED_MOST ((uint64_t)1 << 26)

/* How much is searched for the next chunk; between two pieces of brk(2) another's memory may lie.
 */
#define GAP_MOST ((uint64_t)256 << 20)

/* Where a walk is. */
struct place {
    struct asnap_glibc_walk *walk;
    uint64_t start; /* of the segment */
    uint64_t at;
    uint64_t end;
    uint64_t words[2];   /* the header of the chunk here */
    uint64_t last_words; /* the size and bits of the chunk before, 0: there is none */
    size_t first;        /* of the segment's chunks */
    unsigned breaks;
    bool was_fence; /* the last chunk is a fence */
};

static bool is_top_between(const struct asnap_glibc_walk *walk, uint64_t start, uint64_t end)
{
    return walk->arena->state.top >= start && walk->arena->state.top < end;
}

/* Whether a chunk at `address` can have this size. */
static bool is_size(const struct asnap_glibc_walk *walk, uint64_t address, uint64_t end,
                    uint64_t word)
{
    uint64_t size = word & ~(uint64_t)ASNAP_GLIBC_BITS;
    bool has_bits = (word & ASNAP_GLIBC_MMAPPED) == 0 &&
                    (!walk->arena->is_main || (word & ASNAP_GLIBC_OTHER_ARENA) == 0);
    return has_bits && size >= ASNAP_GLIBC_CHUNK_MIN && size % 16 == 0 && size <= end - address;
}

static bool is_fence(uint64_t word)
{
    uint64_t size = word & ~(uint64_t)ASNAP_GLIBC_BITS;
    return size == ASNAP_GLIBC_FENCE && (word & ASNAP_GLIBC_MMAPPED) == 0;
}

/* A look along a chain of chunks. */
struct chain {
    struct asnap_glibc_walk *walk;
    uint64_t at;
    uint64_t end;
    uint64_t size; /* of the chunk before; 0: there is none */
    bool is_over;  /* it has come to its end: the top, a fence, the end of the memory */
    bool is_broken;
};

static struct asnap_error *follow(struct chain *chain)
{
    struct asnap_glibc_walk *walk = chain->walk;
    uint64_t words[2] = {0};
    bool is_there = false;
    chain->is_over =
        chain->size != 0 && (chain->at == walk->arena->state.top || chain->at == chain->end);
    if (chain->is_over)
        return NULL;
    chain->is_broken = true;
    if (chain->end - chain->at < sizeof(words) || ++walk->looked > LOOKED_MOST)
        return NULL;
    struct asnap_error *error =
        asnap_heap_header(walk->memory, &walk->memory->ahead, chain->at, words, &is_there);
    if (error != NULL || !is_there ||
        (chain->size != 0 && (words[1] & ASNAP_GLIBC_PREV_INUSE) == 0 && words[0] != chain->size))
        return error;
    uint64_t size = words[1] & ~(uint64_t)ASNAP_GLIBC_BITS;
    chain->is_over =
        chain->size != 0 && (is_fence(words[1]) || (size == 0 && !walk->arena->is_main));
    chain->is_broken = !chain->is_over && !is_size(walk, chain->at, chain->end, words[1]);
    if (chain->is_over || chain->is_broken)
        return NULL;
    chain->size = size;
    chain->at += size;
    return NULL;
}

struct asnap_error *asnap_glibc_is_chain(struct asnap_glibc_walk *walk, uint64_t address,
                                         uint64_t end, bool *is_chain)
{
    struct chain chain = {.walk = walk, .at = address, .end = end};
    struct asnap_error *error = NULL;
    for (unsigned steps = 0;
         error == NULL && steps < CHAIN_STEPS && !chain.is_over && !chain.is_broken; steps++)
        error = follow(&chain);
    *is_chain = error == NULL && !chain.is_broken;
    return error;
}

struct asnap_error *asnap_glibc_chain_end(struct asnap_glibc_walk *walk, uint64_t address,
                                          uint64_t end, uint64_t *last)
{
    struct chain chain = {.walk = walk, .at = address, .end = end};
    struct asnap_error *error = NULL;
    while (error == NULL && !chain.is_over && !chain.is_broken) {
        error = follow(&chain);
        if (error == NULL)
            error = asnap_heap_ask(walk->memory);
    }
    *last = error != NULL || chain.is_broken || chain.at == end ? 0 : chain.at;
    return error;
}

static struct asnap_chunk *last_chunk(const struct place *place)
{
    struct asnap_heap *heap = place->walk->heap;
    return heap->chunk_count > place->first ? &heap->chunks[heap->chunk_count - 1] : NULL;
}

/* The header here says that what is before it is free. Where that begins at an earlier chunk than
 * the last, a free chunk is being cut or joined: until that is done it is one, and what stands in
 * it is old. */
static void settle_free(struct place *place)
{
    struct asnap_heap *heap = place->walk->heap;
    struct asnap_chunk *last = last_chunk(place);
    if (last == NULL)
        return;
    uint64_t before = place->at - place->words[0];
    if (place->words[0] == asnap_chunk_size(last)) {
        asnap_chunk_set_use(last, ASNAP_CHUNK_FREE);
        return;
    }
    place->walk->is_busy = true;
    for (size_t i = heap->chunk_count; i > place->first && heap->chunks[i - 1].address >= before;
         i--) {
        if (heap->chunks[i - 1].address != before)
            continue;
        heap->chunks[i - 1].size_use = (place->words[0] & ~UINT64_C(15)) | ASNAP_CHUNK_FREE;
        heap->chunk_count = i;
        return;
    }
    asnap_chunk_set_use(last, ASNAP_CHUNK_FREE);
}

static void settle(struct place *place)
{
    if ((place->words[1] & ASNAP_GLIBC_PREV_INUSE) == 0)
        settle_free(place);
}

static struct asnap_error *end_segment(struct place *place, uint64_t end)
{
    struct asnap_heap *heap = place->walk->heap;
    struct asnap_segment segment = {
        .start = place->start,
        .end = end,
        .first = place->first,
        .count = heap->chunk_count - place->first,
        .area = place->walk->area,
    };
    return segment.count == 0 ? NULL : asnap_heap_add_segment(heap, &segment);
}

/* Finds where chunks follow each other again behind a place; `end` where they do not. */
static struct asnap_error *find_chain(struct place *place, uint64_t from, uint64_t *found)
{
    struct asnap_glibc_walk *walk = place->walk;
    uint64_t end = place->end;
    unsigned tried = 0;
    *found = end;
    if (end - from > GAP_MOST)
        end = from + GAP_MOST;
    for (uint64_t at = from; end - at >= 16; at += 16) {
        uint64_t words[2];
        bool is_there = false;
        bool is_chain = false;
        struct asnap_error *error = asnap_heap_ask(walk->memory);
        if (error == NULL)
            error = asnap_heap_header(walk->memory, &walk->memory->here, at, words, &is_there);
        if (error != NULL)
            return error;
        if (at == walk->arena->state.top) {
            *found = at;
            return NULL;
        }
        if (!is_there || !is_size(walk, at, place->end, words[1]))
            continue;
        if (++tried > CHAINS_MOST)
            return NULL;
        error = asnap_glibc_is_chain(walk, at, place->end, &is_chain);
        if (error != NULL)
            return error;
        if (is_chain) {
            *found = at;
            return NULL;
        }
    }
    return NULL;
}

/* The chain is broken here: goes on behind it. */
static struct asnap_error *step_over(struct place *place)
{
    struct asnap_glibc_walk *walk = place->walk;
    uint64_t next = place->end;
    struct asnap_error *error = NULL;
    if (++place->breaks <= BREAKS_MOST)
        error = find_chain(place, place->at + 16, &next);
    walk->lost++;
    if (error == NULL)
        error = asnap_heap_add_chunk(walk->heap, place->at, next - place->at, ASNAP_CHUNK_LOST);
    place->at = next;
    place->last_words = 0;
    return error;
}

/* A fence ends memory that the main arena has from brk(2), or from mmap(2); behind the second one
 * may be another's, and then the arena's again. */
static struct asnap_error *pass_fence(struct place *place)
{
    uint64_t next;
    bool was_fence = place->was_fence;
    struct asnap_error *error =
        asnap_heap_add_chunk(place->walk->heap, place->at, ASNAP_GLIBC_FENCE, ASNAP_CHUNK_OWN);
    place->was_fence = true;
    place->at += ASNAP_GLIBC_FENCE;
    if (error != NULL || !was_fence || !place->walk->arena->is_main)
        return error;
    error = end_segment(place, place->at);
    if (error == NULL)
        error = find_chain(place, place->at, &next);
    if (error != NULL)
        return error;
    place->start = place->at = next;
    place->first = place->walk->heap->chunk_count;
    place->was_fence = false;
    return NULL;
}

/* The last 16 bytes of a heap that is not the newest of its arena; what is before them may be a
 * fence of its own. */
static bool is_heap_end(struct place *place)
{
    struct asnap_chunk *last = last_chunk(place);
    if (place->walk->arena->is_main || (place->words[1] & ~(uint64_t)ASNAP_GLIBC_BITS) != 0 ||
        place->end - place->at > ASNAP_GLIBC_CHUNK_MIN)
        return false;
    if (last != NULL && asnap_chunk_size(last) <= ASNAP_GLIBC_CHUNK_MIN &&
        (place->last_words & ASNAP_GLIBC_OTHER_ARENA) == 0 &&
        asnap_chunk_use(last) == ASNAP_CHUNK_LIVE)
        asnap_chunk_set_use(last, ASNAP_CHUNK_OWN);
    return true;
}

/* It ends where its size says, with a page; or, while that is being changed, with the memory. */
static struct asnap_error *add_top(struct place *place)
{
    uint64_t size = place->words[1] & ~(uint64_t)ASNAP_GLIBC_BITS;
    place->walk->saw_top = true;
    if (size % 16 != 0 || size > place->end - place->at || (place->at + size) % PAGE != 0) {
        size = place->end - place->at;
        place->walk->is_busy = true;
    }
    place->end = place->at + size;
    struct asnap_error *error =
        asnap_heap_add_chunk(place->walk->heap, place->at, size, ASNAP_CHUNK_TOP);
    place->at = place->end;
    return error;
}

/* The chunk here, whose size can be right. One that goes beyond the top is being cut off it, or
 * joined with it. */
static struct asnap_error *add_chunk(struct place *place)
{
    struct asnap_glibc_walk *walk = place->walk;
    uint64_t size = place->words[1] & ~(uint64_t)ASNAP_GLIBC_BITS;
    enum asnap_chunk_use use = ASNAP_CHUNK_LIVE;
    if (is_top_between(walk, place->at + 1, place->at + size)) {
        size = walk->arena->state.top - place->at;
        use = ASNAP_CHUNK_LOST;
        walk->is_busy = true;
    }
    struct asnap_error *error = asnap_heap_add_chunk(walk->heap, place->at, size, use);
    place->at += size;
    place->last_words = place->words[1];
    place->was_fence = false;
    return error;
}

static struct asnap_error *step(struct place *place)
{
    struct asnap_glibc_walk *walk = place->walk;
    bool is_there = false;
    struct asnap_error *error =
        asnap_heap_header(walk->memory, &walk->memory->here, place->at, place->words, &is_there);
    if (error != NULL)
        return error;
    if (!is_there)
        return step_over(place);
    if (place->at == walk->arena->state.top) {
        settle(place);
        return add_top(place);
    }
    if (is_heap_end(place)) {
        settle(place);
        error =
            asnap_heap_add_chunk(walk->heap, place->at, place->end - place->at, ASNAP_CHUNK_OWN);
        place->at = place->end;
        return error;
    }
    if (is_fence(place->words[1])) {
        settle(place);
        return pass_fence(place);
    }
    if (!is_size(walk, place->at, place->end, place->words[1]))
        return step_over(place);
    settle(place);
    return add_chunk(place);
}

struct asnap_error *asnap_glibc_walk_memory(struct asnap_glibc_walk *walk, uint64_t start,
                                            uint64_t end)
{
    struct place place = {
        .walk = walk,
        .start = start,
        .at = start,
        .end = end,
        .first = walk->heap->chunk_count,
    };
    struct asnap_error *error = NULL;
    while (error == NULL && place.at <= place.end && place.end - place.at >= 16) {
        error = step(&place);
        if (error == NULL)
            error = asnap_heap_ask(walk->memory);
    }
    if (error == NULL)
        error = end_segment(&place, place.at < place.end ? place.at : place.end);
    return error;
}
