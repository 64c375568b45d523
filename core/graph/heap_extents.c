#include "heap_extents.h"

#include "error.h"
#include "inferior_map.h"

#define PAGE ((uint64_t)4096)
/* What precedes a block: the size of what is before its chunk, and of the chunk, with flags. */
#define CHUNK_HEAD 16u
#define IS_MMAPPED 2u
#define FLAGS 7u
/* HEAP_MAX_SIZE: heaps of arenas are aligned to it. */
#define HEAP_BYTES ((uint64_t)64 << 20)

/* A block that has a mapping of its own is the first in it, but for its alignment. */
static bool may_be_mapped(const struct asnap_graph_block *block)
{
    return block->start % PAGE == CHUNK_HEAD || block->end - block->start >= 8 * PAGE;
}

/* Claims the mapping of a block whose chunk says that it has one. */
static struct asnap_error *claim_chunk(const struct asnap_graph_facts *facts,
                                       const struct asnap_graph_block *block,
                                       struct asnap_claims *claims)
{
    uint64_t head[2];
    bool read;
    if (block->start % CHUNK_HEAD != 0)
        return NULL;
    struct asnap_error *error =
        asnap_inferior_copy(facts, block->start - CHUNK_HEAD, head, sizeof(head), &read);
    if (error != NULL || !read || (head[1] & FLAGS) != IS_MMAPPED)
        return error;
    uint64_t before = head[0];
    uint64_t bytes = head[1] & ~(uint64_t)FLAGS;
    uint64_t start = block->start - CHUNK_HEAD - before;
    uint64_t end = block->start - CHUNK_HEAD + bytes;
    if (before > block->start - CHUNK_HEAD || start % PAGE != 0 || end % PAGE != 0 ||
        end < block->end || end - block->end > 2 * PAGE)
        return NULL;
    return asnap_claims_add(claims, start, end, ASNAP_CLAIM_HEAP, 0);
}

/* What a heap of an arena begins with (heap_info). */
struct heap_head {
    uint64_t arena;
    uint64_t previous;
    uint64_t size;
    uint64_t writable; /* bytes of it */
};

/* Claims the heap that begins at `start`, if one does. The arena is in the first of its heaps,
 * right after the head. */
static struct asnap_error *claim_heap(const struct asnap_graph_facts *facts, uint64_t start,
                                      struct asnap_claims *claims)
{
    struct heap_head head;
    bool read;
    struct asnap_error *error = asnap_inferior_copy(facts, start, &head, sizeof(head), &read);
    if (error != NULL || !read)
        return error;
    uint64_t in_heap = head.arena % HEAP_BYTES;
    bool is_heap = in_heap >= sizeof(head) && in_heap <= 2 * sizeof(head) + 32 &&
                   head.previous % HEAP_BYTES == 0 &&
                   (head.previous == 0) == (head.arena - in_heap == start) &&
                   head.size % PAGE == 0 && head.writable % PAGE == 0 && head.size != 0 &&
                   head.size <= head.writable && head.writable <= HEAP_BYTES;
    if (!is_heap)
        return NULL;
    return asnap_claims_add(claims, start, start + head.writable, ASNAP_CLAIM_HEAP, 0);
}

/* The aligned places of an anonymous region at which a heap can begin. */
static struct asnap_error *claim_heaps(const struct asnap_graph_facts *facts,
                                       const struct asnap_region *region,
                                       struct asnap_claims *claims)
{
    struct asnap_error *error = NULL;
    uint64_t start = region->start + (HEAP_BYTES - region->start % HEAP_BYTES) % HEAP_BYTES;
    for (; error == NULL && start >= region->start && start < region->end; start += HEAP_BYTES)
        error = claim_heap(facts, start, claims);
    return error;
}

struct asnap_error *asnap_heap_extents_claim(const struct asnap_graph_facts *facts,
                                             const struct asnap_block_index *index,
                                             struct asnap_claims *claims)
{
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; error == NULL && i < index->count; i++) {
        if (may_be_mapped(&index->blocks[i]))
            error = claim_chunk(facts, &index->blocks[i], claims);
    }
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (asnap_region_is_data(region) && !asnap_region_is_file(region))
            error = claim_heaps(facts, region, claims);
    }
    return error;
}
