/* Reading the tree of stacks. */
#ifndef ASNAP_COLLECT_NODES_H
#define ASNAP_COLLECT_NODES_H

#include "allocsnap_table.h"
#include "raw.h"
#include "read.h"

/* Where the nodes of the table are among those that were read. Mostly that is their own number;
 * where much of the tree is missing, no room is made for what is not there. */
struct asnap_node_places {
    uint32_t *first; /* of each chunk: the place of its first node, 0: it is not there; NULL:
                        every node is at its own number */
};

/* Fills the nodes of `raw`, each checked; its modules are there. Nodes that cannot be
 * read become origins and are counted; at place 0 is such a one where `places` are of chunks.
 * Where the program goes on (`moving`), a module that is newer than the root's copy is none.
 * Fails with NO_MEMORY, INTERRUPTED or DAMAGED. Free the places also then. */
struct asnap_error *asnap_nodes_read(struct asnap_inferior *inferior,
                                     const struct asnap_table_root *root, bool moving,
                                     struct asnap_node_places *places, struct asnap_raw *raw);

/* The place of a node, whose number is below the root's count. */
static inline uint32_t asnap_node_place(const struct asnap_node_places *places, uint32_t node)
{
    if (places->first == NULL)
        return node;
    uint32_t first = places->first[node / ASNAP_TABLE_CHUNK_NODES];
    return first == 0 ? 0 : first + node % ASNAP_TABLE_CHUNK_NODES;
}

void asnap_node_places_deinit(struct asnap_node_places *places);

#endif
