#include "stack_tree.h"

#include <stdlib.h>

#include "error.h"
#include "grow.h"

static bool is_wanted(const void *context, uint32_t id)
{
    const struct asnap_stack_tree *tree = context;
    return tree->nodes[id].parent == tree->wanted.parent &&
           tree->nodes[id].frame == tree->wanted.frame;
}

static struct asnap_error *add_node(struct asnap_stack_tree *tree, uint32_t parent, uint32_t frame,
                                    uint32_t *node)
{
    uint32_t hash = asnap_hash_end(asnap_hash_mix(parent, frame));
    tree->wanted = (struct asnap_stack_node){.parent = parent, .frame = frame};
    *node = asnap_intern_find(&tree->index, hash, is_wanted, tree);
    if (*node != ASNAP_NONE)
        return NULL;
    if (tree->count >= ASNAP_NONE - 1)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "the stacks have more than 4294967294 different beginnings: "
                                  "filter the snapshot");
    struct asnap_stack_node *nodes =
        asnap_grow(tree->nodes, &tree->capacity, tree->count + 1, sizeof(*nodes));
    if (nodes == NULL)
        return asnap_error_no_memory();
    tree->nodes = nodes;
    struct asnap_error *error = asnap_intern_reserve(&tree->index);
    if (error != NULL)
        return error;
    *node = (uint32_t)tree->count++;
    nodes[*node] = tree->wanted;
    asnap_intern_add(&tree->index, hash, *node);
    return NULL;
}

struct asnap_error *asnap_stack_tree_add(struct asnap_stack_tree *tree, const uint32_t *frames,
                                         size_t count, uint32_t *node)
{
    struct asnap_error *error = NULL;
    *node = ASNAP_NONE;
    for (size_t i = 0; error == NULL && i < count; i++)
        error = add_node(tree, *node, frames[i], node);
    return error;
}

void asnap_stack_tree_deinit(struct asnap_stack_tree *tree)
{
    free(tree->nodes);
    asnap_intern_deinit(&tree->index);
    *tree = (struct asnap_stack_tree){0};
}
