/* Stacks as a tree: a node for each frame that is reached by other frames, its parent before it. */
#ifndef ASNAP_EXPORT_STACK_TREE_H
#define ASNAP_EXPORT_STACK_TREE_H

#include "intern.h"

struct asnap_stack_node {
    uint32_t parent; /* ASNAP_NONE: it is an oldest frame */
    uint32_t frame;
};

/* All zero is an empty tree. */
struct asnap_stack_tree {
    struct asnap_stack_node *nodes;
    size_t count;
    size_t capacity;
    struct asnap_intern index;
    struct asnap_stack_node wanted;
};

/* The node of a stack, of one frame at least, the oldest first. Fails with NO_MEMORY, and with
 * UNSUPPORTED where there are more nodes than their numbers can be told. */
struct asnap_error *asnap_stack_tree_add(struct asnap_stack_tree *tree, const uint32_t *frames,
                                         size_t count, uint32_t *node);
void asnap_stack_tree_deinit(struct asnap_stack_tree *tree);

#endif
