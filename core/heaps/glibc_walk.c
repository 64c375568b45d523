/* Walking an arena's memory: each chunk's size leads to the next one. A program stops anywhere,
 * also while a size is being changed, and may have overwritten one: then the chain is taken up
 * again where chunks follow each other. */
#include <inttypes.h>
#include <string.h>

#include "glibc_place.h"

#include "error.h"

enum {
    PAGE = 4096,
    BREAKS_MOST = 256,   /* of one piece of memory; it is given up then */
    CHAINS_MOST = 100000 /* that are tried to take one up again */
};

/* How much is searched for the next chunk; between two pieces of brk(2) another's memory may lie.
 */
#define GAP_MOST ((uint64_t)256 << 20)

static bool is_top_between(const struct asnap_glibc_walk *walk, uint64_t start, uint64_t end)
{
    return walk->arena->state.top >= start && walk->arena->state.top < end;
}

static struct asnap_error *end_segment(struct asnap_glibc_place *place, uint64_t end)
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
static struct asnap_error *find_chain(struct asnap_glibc_place *place, uint64_t from,
                                      uint64_t *found)
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
        if (!is_there || !asnap_glibc_is_size(walk, at, place->end, words[1]))
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
static struct asnap_error *step_over(struct asnap_glibc_place *place)
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
static struct asnap_error *pass_fence(struct asnap_glibc_place *place)
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
static bool is_heap_end(struct asnap_glibc_place *place)
{
    struct asnap_chunk *last = asnap_glibc_last_chunk(place);
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
static struct asnap_error *add_top(struct asnap_glibc_place *place)
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
static struct asnap_error *add_chunk(struct asnap_glibc_place *place)
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

/* The chunk here, where its header was not written yet: it is the rest of another. */
static struct asnap_error *end_unwritten(struct asnap_glibc_place *place, bool *is_ended)
{
    uint64_t end = 0;
    struct asnap_error *error = asnap_glibc_unwritten_end(place, &end);
    *is_ended = error == NULL && end != 0;
    if (!*is_ended)
        return error;
    error = asnap_heap_add_chunk(place->walk->heap, place->at, end - place->at, ASNAP_CHUNK_FREE);
    place->walk->is_busy = true;
    place->at = end;
    place->last_words = 0;
    place->was_fence = false;
    return error;
}

/* A heap's last chunk without the fence behind it is its old top, which a new heap's has just
 * replaced. */
static void settle_end(struct asnap_glibc_place *place)
{
    struct asnap_chunk *last = asnap_glibc_last_chunk(place);
    if (place->walk->arena->is_main || last == NULL || place->at != place->end ||
        place->last_words == 0 || (place->last_words & ASNAP_GLIBC_OTHER_ARENA) != 0 ||
        asnap_chunk_use(last) != ASNAP_CHUNK_LIVE)
        return;
    asnap_chunk_set_use(last, ASNAP_CHUNK_TOP);
    place->walk->is_busy = true;
}

static struct asnap_error *step(struct asnap_glibc_place *place)
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
        asnap_glibc_settle(place);
        return add_top(place);
    }
    bool is_ended = false;
    error = end_unwritten(place, &is_ended);
    if (error != NULL || is_ended)
        return error;
    if (is_heap_end(place)) {
        asnap_glibc_settle(place);
        error =
            asnap_heap_add_chunk(walk->heap, place->at, place->end - place->at, ASNAP_CHUNK_OWN);
        place->at = place->end;
        return error;
    }
    if (asnap_glibc_is_fence(place->words[1])) {
        asnap_glibc_settle(place);
        return pass_fence(place);
    }
    if (!asnap_glibc_is_size(walk, place->at, place->end, place->words[1]))
        return step_over(place);
    asnap_glibc_settle(place);
    return add_chunk(place);
}

struct asnap_error *asnap_glibc_walk_memory(struct asnap_glibc_walk *walk, uint64_t start,
                                            uint64_t end)
{
    struct asnap_glibc_place place = {
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
    if (error == NULL) {
        settle_end(&place);
        error = end_segment(&place, place.at < place.end ? place.at : place.end);
    }
    return error;
}
