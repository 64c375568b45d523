/* Chunks that are being cut, joined or freed. malloc(3) and free(3) write what belongs to a chunk
 * in this order (malloc/malloc.c, and so compiled):
 * - A free chunk is cut: its rest is put in front of the unsorted bin; the size of the part that is
 *   returned; the size of the rest; the size behind the rest. memalign of 2.38 and later cuts a
 *   chunk in use, too: the size of what is returned; then the rest is freed, and its size is
 *   written when it is in its bin.
 * - A chunk is freed: the bit behind it says that it is free; it is put in front of its bin, the
 *   unsorted one or (since 2.41) a small one; its size; the size behind it. Until then there stands
 *   what the program has left there, or the size of an earlier free chunk.
 */
#include "glibc_place.h"

enum {
    JOINED_MOST = 4096, /* chunks that stand in a free one, from before */
    STEPS_MOST = 256,
    SMALL = 1024 /* smaller chunks have bins of one size */
};

/* Free chunks that are cut are not larger, but seldom. */
#define CUT_MOST ((uint64_t)16 << 20)

/* Whether a chunk is the first of the bin that it was just put in. */
static bool is_linked(const struct asnap_glibc_walk *walk, uint64_t chunk, uint64_t size)
{
    const uint64_t *bins = walk->arena->state.bins;
    return bins[0] == chunk ||
           (size >= ASNAP_GLIBC_CHUNK_MIN && size < SMALL && bins[2 * (size / 16 - 1)] == chunk);
}

/* Whether a thread has a chunk in hand, with its size. */
static bool is_held(const struct asnap_glibc_walk *walk, uint64_t chunk, uint64_t end)
{
    size_t count = 0;
    const struct asnap_glibc_span *spans = asnap_glibc_hands_spans(walk->hands, chunk, &count);
    for (size_t i = 0; i < count; i++) {
        if (spans[i].end == end)
            return true;
    }
    return false;
}

/* The place of the chunk with which the free memory before this place begins. */
static size_t free_start(struct asnap_glibc_place *place)
{
    struct asnap_glibc_walk *walk = place->walk;
    const struct asnap_chunk *chunks = walk->heap->chunks;
    size_t count = walk->heap->chunk_count;
    for (size_t i = count; i > place->first && count - i < JOINED_MOST; i--) {
        const struct asnap_chunk *chunk = &chunks[i - 1];
        uint64_t size = place->at - chunk->address;
        if (++walk->looked > ASNAP_GLIBC_LOOKED_MOST)
            break;
        if (asnap_chunk_use(chunk) != ASNAP_CHUNK_FREE &&
            (is_linked(walk, chunk->address, size) || is_held(walk, chunk->address, place->at)))
            return i - 1;
    }
    return count - 1;
}

/* The header here says that what is before it is free. Where the size there is another one than the
 * last chunk's, that is being made: it begins with a chunk that is on its way to a bin, and what
 * stands in it is old. */
static void settle_free(struct asnap_glibc_place *place, struct asnap_chunk *last)
{
    struct asnap_heap *heap = place->walk->heap;
    if (place->words[0] == asnap_chunk_size(last)) {
        asnap_chunk_set_use(last, ASNAP_CHUNK_FREE);
        return;
    }
    size_t first = free_start(place);
    struct asnap_chunk *chunk = &heap->chunks[first];
    place->walk->is_busy = true;
    chunk->size_use = ((place->at - chunk->address) & ~UINT64_C(15)) | ASNAP_CHUNK_FREE;
    heap->chunk_count = first + 1;
}

void asnap_glibc_settle(struct asnap_glibc_place *place)
{
    struct asnap_chunk *last = asnap_glibc_last_chunk(place);
    if (last == NULL)
        return;
    if ((place->words[1] & ASNAP_GLIBC_PREV_INUSE) == 0) {
        settle_free(place, last);
        return;
    }
    /* A block of this arena has this bit before the program gets it. */
    if (!place->walk->arena->is_main && place->last_words != 0 &&
        (place->last_words & ASNAP_GLIBC_OTHER_ARENA) == 0 &&
        asnap_chunk_use(last) == ASNAP_CHUNK_LIVE) {
        asnap_chunk_set_use(last, ASNAP_CHUNK_FREE);
        place->walk->is_busy = true;
    }
}

static bool is_header(const struct asnap_glibc_walk *walk, uint64_t address, uint64_t end,
                      uint64_t word)
{
    return asnap_glibc_is_size(walk, address, end, word) || asnap_glibc_is_fence(word);
}

/* What headers say of a chunk. */
struct look {
    uint64_t size; /* 0: it can be none */
    bool is_free;  /* it is a free chunk, and that is written at both its ends */
    bool is_freed; /* the bit behind it says that it is free */
};

static struct asnap_error *look_at(const struct asnap_glibc_place *place, uint64_t address,
                                   struct look *look)
{
    struct asnap_glibc_walk *walk = place->walk;
    struct asnap_heap_window *ahead = &walk->memory->ahead;
    uint64_t words[2] = {0};
    bool is_there = false;
    *look = (struct look){0};
    struct asnap_error *error = asnap_heap_header(walk->memory, ahead, address, words, &is_there);
    if (error != NULL || !is_there || !asnap_glibc_is_size(walk, address, place->end, words[1]))
        return error;
    look->size = words[1] & ~(uint64_t)ASNAP_GLIBC_BITS;
    if (place->end - address - look->size < sizeof(words))
        return NULL;
    uint64_t next = address + look->size;
    error = asnap_heap_header(walk->memory, ahead, next, words, &is_there);
    look->is_freed = error == NULL && is_there && (words[1] & ASNAP_GLIBC_PREV_INUSE) == 0 &&
                     is_header(walk, next, place->end, words[1]);
    look->is_free = look->is_freed && words[0] == look->size;
    return error;
}

/* Where a chunk from this place on can end at most: chunks end before the top. */
static uint64_t end_most(const struct asnap_glibc_place *place)
{
    uint64_t top = place->walk->arena->state.top;
    return top > place->at && top < place->end ? top : place->end;
}

/* The rest of a chunk that is being cut, in front of the unsorted bin: it ends where the size of
 * the chunk stands that is cut, which begins with the last one. */
static struct asnap_error *find_cut_end(const struct asnap_glibc_place *place, uint64_t *end)
{
    const struct asnap_chunk *last = asnap_glibc_last_chunk(place);
    struct asnap_glibc_walk *walk = place->walk;
    uint64_t most = end_most(place);
    struct look look;
    if (last == NULL || place->at != walk->arena->state.bins[0])
        return NULL;
    struct asnap_error *error = look_at(place, place->at, &look);
    if (error != NULL || look.is_freed)
        return error;
    if (most - place->at > CUT_MOST)
        most = place->at + CUT_MOST;
    for (uint64_t at = place->at + ASNAP_GLIBC_CHUNK_MIN; at <= most && most - at >= 16; at += 16) {
        uint64_t words[2] = {0};
        bool is_there = false;
        if (++walk->looked > ASNAP_GLIBC_LOOKED_MOST)
            return NULL;
        error = asnap_heap_ask(walk->memory);
        if (error == NULL)
            error = asnap_heap_header(walk->memory, &walk->memory->ahead, at, words, &is_there);
        if (error != NULL || !is_there)
            return error;
        if (words[0] == at - last->address && (words[1] & ASNAP_GLIBC_PREV_INUSE) == 0 &&
            is_header(walk, at, place->end, words[1])) {
            *end = at;
            return NULL;
        }
    }
    return NULL;
}

/* Whether a chunk that is known to be free is among those from here to `end`, as headers have it.
 */
static struct asnap_error *leads_to_free(const struct asnap_glibc_place *place, uint64_t end,
                                         bool *does)
{
    struct look look = {.size = 1};
    struct asnap_error *error = NULL;
    *does = false;
    uint64_t at = place->at;
    for (unsigned step = 0; error == NULL && at < end && look.size != 0 && step < STEPS_MOST;
         step++) {
        error = look_at(place, at, &look);
        *does = *does || look.is_free;
        at += look.size;
    }
    return error;
}

/* Whether a thread's span is that of the chunk here, whatever its header says. */
static struct asnap_error *is_span(const struct asnap_glibc_place *place,
                                   const struct asnap_glibc_span *span, uint64_t size, bool *is)
{
    *is = false;
    if (span->end > end_most(place) || span->end - span->start < ASNAP_GLIBC_CHUNK_MIN ||
        (size != 0 && (!span->is_whole || size == span->end - span->start)))
        return NULL;
    bool leads = false;
    struct asnap_error *error = size == 0 ? NULL : leads_to_free(place, span->end, &leads);
    if (error == NULL && !leads)
        error = asnap_glibc_is_chain(place->walk, span->end, place->end, is);
    return error;
}

struct asnap_error *asnap_glibc_unwritten_end(const struct asnap_glibc_place *place, uint64_t *end)
{
    size_t count = 0;
    struct look look;
    *end = 0;
    if (place->at == place->walk->arena->state.top)
        return NULL;
    struct asnap_error *error = find_cut_end(place, end);
    const struct asnap_glibc_span *spans =
        asnap_glibc_hands_spans(place->walk->hands, place->at, &count);
    if (error != NULL || *end != 0 || count == 0)
        return error;
    error = look_at(place, place->at, &look);
    for (size_t i = 0; error == NULL && i < count; i++) {
        bool is = false;
        error = is_span(place, &spans[i], look.size, &is);
        if (is && (*end == 0 || spans[i].end < *end))
            *end = spans[i].end;
    }
    return error;
}
