/* The blocks of a snapshot by address, and which of them holds an address: the look-up that
 * every word of the program's memory goes through. */
#ifndef ASNAP_GRAPH_BLOCK_INDEX_H
#define ASNAP_GRAPH_BLOCK_INDEX_H

#include "allocsnap_graph.h"

/* No block. */
#define ASNAP_NO_BLOCK UINT32_MAX

/* A block; its number is its place in order of address, of equal ones the larger first. */
struct asnap_graph_block {
    uint64_t start;
    uint64_t end; /* a block without bytes has one, so that its own address finds it */
};

struct asnap_granules;
struct asnap_mib;
struct asnap_mib_page;

/* The MiB in which blocks start. */
struct asnap_mib_list {
    /* By the highest bits of an address, where in this array its part is; there, by the next bits,
     * its page. The first part and the first page are empty, and stand for all such. */
    uint32_t *directory;
    size_t directory_count;
    size_t directory_capacity;
    struct asnap_mib_page *pages;
    size_t page_count;
    size_t page_capacity;
    struct asnap_mib *mibs; /* in order of address */
    uint32_t count;
};

struct asnap_block_index {
    const struct asnap_trace *traces; /* the caller's */
    struct asnap_graph_block *blocks;
    uint32_t *places; /* of each among the traces of the snapshot */
    uint32_t count;
    uint64_t lowest;  /* where the first block starts */
    uint64_t highest; /* where the last of them ends */
    /* A block that holds others (one that a pool gives blocks of): the nearest that ends after
     * this one starts. NULL where no block begins in another. */
    uint32_t *outer;
    struct asnap_mib_list mibs;
    struct asnap_granules *granules; /* of all MiB that have some */
    uint32_t *large;                 /* the blocks that reach into a later MiB, in order */
    uint32_t large_count;
};

/* Makes the index of `count` traces, fewer than 2^30, which must live as long. Addresses are below
 * 2^48: traces elsewhere are left out and counted in *skipped. Fails with NO_MEMORY and
 * INVALID_ARGUMENT. */
struct asnap_error *asnap_block_index_init(struct asnap_block_index *index,
                                           const struct asnap_trace *traces, size_t count,
                                           size_t *skipped);
void asnap_block_index_deinit(struct asnap_block_index *index);

/* The bytes of a block that were asked for. */
static inline uint64_t asnap_block_size(const struct asnap_block_index *index, uint32_t block)
{
    uint64_t size = index->blocks[block].end - index->blocks[block].start;
    return size != 1 ? size : index->traces[index->places[block]].size;
}

/* The innermost block that holds an address; ASNAP_NO_BLOCK: none does. */
uint32_t asnap_block_index_find(const struct asnap_block_index *index, uint64_t address);

/* Looks up to ASNAP_FIND_MANY addresses up at once, all of them from index->lowest up to below
 * index->highest: what one waits for is fetched while another is looked at. Returns a bit for each
 * that is known to be where its block starts; not all such are. */
#define ASNAP_FIND_MANY 64u
uint64_t asnap_block_index_find_many(const struct asnap_block_index *index,
                                     const uint64_t *addresses, size_t count, uint32_t *found);

#endif
