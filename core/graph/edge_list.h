/* The pointers between blocks while they are found, of which it is not known how many there are:
 * in pieces that never move, since memory that moves loses its huge pages. */
#ifndef ASNAP_GRAPH_EDGE_LIST_H
#define ASNAP_GRAPH_EDGE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asnap_edge_list {
    uint32_t **pieces; /* those before the last: each is full */
    size_t piece_count;
    size_t piece_capacity;
    uint32_t *last;
    size_t last_count;
    size_t last_capacity;
    size_t count; /* of all edges in the pieces before the last */
};

/* Makes room for one more; false: memory is short. */
bool asnap_edge_list_extend(struct asnap_edge_list *list);

/* Adds an edge; false: memory is short. */
static inline bool asnap_edge_list_add(struct asnap_edge_list *list, uint32_t edge)
{
    if (list->last_count == list->last_capacity && !asnap_edge_list_extend(list))
        return false;
    list->last[list->last_count++] = edge;
    return true;
}

static inline size_t asnap_edge_list_count(const struct asnap_edge_list *list)
{
    return list->count + list->last_count;
}

/* Gives all of them as one array, which the caller frees; NULL: memory is short. The list is empty
 * then, and at no time was there more memory than for twice as many. */
uint32_t *asnap_edge_list_join(struct asnap_edge_list *list);

void asnap_edge_list_deinit(struct asnap_edge_list *list);

#endif
