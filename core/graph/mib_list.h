/* The MiB of memory in which blocks start, and the blocks sorted by them: allocators give
 * neighbours to whoever asks, so that most of the sorting is done within a MiB. */
#ifndef ASNAP_GRAPH_MIB_LIST_H
#define ASNAP_GRAPH_MIB_LIST_H

#include "block_index.h"

#define ASNAP_ADDRESS_BITS 48u
#define ASNAP_MIB_BITS 20u
/* MiB of one page of the directory: few enough that a block alone in its page costs little. */
#define ASNAP_MIB_PAGE_BITS 5u
/* Pages of one part of the directory, and how many parts there can be. */
#define ASNAP_MIB_PART_BITS 11u
#define ASNAP_MIB_TOP_BITS                                                                         \
    (ASNAP_ADDRESS_BITS - ASNAP_MIB_BITS - ASNAP_MIB_PAGE_BITS - ASNAP_MIB_PART_BITS)

/* The blocks that start in one MiB: [first, end), and how they are looked up (block_index.c). */
struct asnap_mib {
    uint32_t number;
    uint32_t first;
    uint32_t end;
    const struct asnap_granules *granules; /* NULL where blocks are few */
    uint16_t *steps;                       /* NULL where they are very few, or many */
    bool is_even; /* with granules: each block starts where its granule does, alone in it */
};

/* By MiB: its place in asnap_mib_list.mibs plus 1; 0: no block starts there. */
struct asnap_mib_page {
    uint32_t number;
    uint32_t mib[(size_t)1 << ASNAP_MIB_PAGE_BITS];
};

/* The place of a MiB in the list plus 1, or 0. Addresses are below 2^48. */
static inline uint32_t asnap_mib_at(const struct asnap_mib_list *list, uint64_t address)
{
    uint64_t mib = address >> ASNAP_MIB_BITS;
    uint64_t page = mib >> ASNAP_MIB_PAGE_BITS;
    uint64_t part = list->directory[page >> ASNAP_MIB_PART_BITS];
    uint32_t place = list->directory[part + (page & (((uint64_t)1 << ASNAP_MIB_PART_BITS) - 1))];
    return list->pages[place].mib[mib & (((uint64_t)1 << ASNAP_MIB_PAGE_BITS) - 1)];
}

/* Lists the MiB of `count` traces, and sets *places to the traces in order of address, of equal
 * ones the larger first; the caller frees it. Leaves out those that do not end below 2^48: *taken
 * are left. Fails with NO_MEMORY only. */
struct asnap_error *asnap_mib_list_init(struct asnap_mib_list *list,
                                        const struct asnap_trace *traces, size_t count,
                                        uint32_t **places, uint32_t *taken);
void asnap_mib_list_deinit(struct asnap_mib_list *list);

#endif
