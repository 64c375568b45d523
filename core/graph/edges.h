/* The pointers between blocks: every aligned word of a block's memory that is an address in a
 * block. Found in one pass over the memory, in order of address. */
#ifndef ASNAP_GRAPH_EDGES_H
#define ASNAP_GRAPH_EDGES_H

#include "block_index.h"
#include "word_window.h"

/* What a pointer leads to. The kinds of interior pointers that a heuristic may explain are
 * told apart until all of the memory was seen. */
enum asnap_edge_kind {
    ASNAP_EDGE_START,  /* the start of a block, or a place where pointers are ordinary */
    ASNAP_EDGE_INSIDE, /* another place in a block */
    ASNAP_EDGE_AT_8,   /* after the first word */
    ASNAP_EDGE_AT_24,  /* after the third word */
};

/* A block's number, and the kind above it. */
#define ASNAP_EDGE_KIND_SHIFT 30u
#define ASNAP_EDGE_BLOCK ((UINT32_C(1) << ASNAP_EDGE_KIND_SHIFT) - 1)

static inline uint32_t asnap_edge_block(uint32_t edge)
{
    return edge & ASNAP_EDGE_BLOCK;
}

static inline bool asnap_edge_is_start(uint32_t edge)
{
    return edge >> ASNAP_EDGE_KIND_SHIFT == ASNAP_EDGE_START;
}

struct asnap_edges {
    uint32_t *first; /* block i has targets[first[i]] up to targets[first[i + 1]] */
    uint32_t *targets;
    size_t count;
    uint64_t unread_bytes; /* in blocks whose memory cannot be read */
    uint8_t *shapes;       /* of each block: asnap_block_shape */
    uint64_t *inner;       /* where vtable pointers lie within blocks that begin with one; sorted */
    size_t inner_count;
};

/* What the first words of a block look like (memcheck's --leak-check-heuristics). */
enum asnap_block_shape {
    ASNAP_SHAPE_COUNTED = 1, /* a length or a number of elements first: pointers after it */
    ASNAP_SHAPE_STRING = 2,  /* length, capacity, references: characters after them */
    ASNAP_SHAPE_VTABLE = 4,  /* the address of a vtable: pointers to others are ordinary */
};

/* How words are read. */
struct asnap_word_reader {
    const struct asnap_memory *memory;
    const struct asnap_hole *holes; /* word_window.h */
    size_t hole_count;
    uint64_t tag_mask; /* bits that programs keep tags in, and no part of an address */
    bool heuristics;
    /* Whether a word is the address of a vtable; NULL: none is. */
    bool (*is_vtable)(void *context, uint64_t word);
    void *context;
    const struct asnap_progress *progress; /* or NULL */
};

/* Reads the memory of all blocks. Fails with NO_MEMORY, INTERRUPTED, and UNSUPPORTED where
 * there are 2^32 pointers or more. */
struct asnap_error *asnap_edges_init(struct asnap_edges *edges,
                                     const struct asnap_block_index *index,
                                     const struct asnap_word_reader *reader);
void asnap_edges_deinit(struct asnap_edges *edges);

/* Is handed a pointer that was found at `place`: an edge as in asnap_edges.targets. */
typedef struct asnap_error *asnap_pointer_visitor(void *context, uint64_t place, uint32_t edge);

/* Hands on the pointers in [start, end), less those in blocks that lie there. Adds what cannot be
 * read to *unread_bytes. */
struct asnap_error *asnap_edges_scan(const struct asnap_edges *edges,
                                     const struct asnap_block_index *index,
                                     const struct asnap_word_reader *reader, uint64_t start,
                                     uint64_t end, asnap_pointer_visitor *visit, void *context,
                                     uint64_t *unread_bytes);

/* The edge that one word makes, as a register holds it; false: it is no pointer to a block. */
bool asnap_edges_word(const struct asnap_edges *edges, const struct asnap_block_index *index,
                      const struct asnap_word_reader *reader, uint64_t word, uint32_t *edge);

#endif
