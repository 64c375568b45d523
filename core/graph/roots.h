/* What is searched for pointers to blocks, range by range: registers, stacks, thread-local storage,
 * data of files, and anonymous memory that is no allocator's. */
#ifndef ASNAP_GRAPH_ROOTS_H
#define ASNAP_GRAPH_ROOTS_H

#include "edges.h"
#include "reach.h"
#include "thread_stacks.h"

struct asnap_roots {
    struct asnap_root *roots; /* sorted by address; then the registers; then single words */
    size_t count;
    size_t searched; /* those before the single words */
    size_t capacity;
    struct asnap_root_pointer *pointers;
    size_t pointer_count;
    size_t pointer_capacity;
    struct asnap_thread_stacks stacks;
    uint64_t missing_bytes; /* of roots that the core does not have */
    uint64_t unread_bytes;  /* of others that cannot be read */
};

/* Finds the roots. `gaps`: those between traced blocks are among them. `own`: the hooks' memory,
 * sorted. */
struct asnap_error *asnap_roots_find(struct asnap_roots *roots,
                                     const struct asnap_graph_facts *facts,
                                     const struct asnap_block_index *index,
                                     const struct asnap_address_range *own, size_t own_count,
                                     bool gaps);

/* Reads them: `pointers`. */
struct asnap_error *asnap_roots_read(struct asnap_roots *roots,
                                     const struct asnap_graph_facts *facts,
                                     const struct asnap_block_index *index,
                                     const struct asnap_edges *edges,
                                     const struct asnap_word_reader *reader);

void asnap_roots_deinit(struct asnap_roots *roots);

#endif
