#include "nodes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chunks.h"
#include "error.h"

_Static_assert(ASNAP_RAW_NONE == ASNAP_TABLE_NONE, "the mark of an origin");
_Static_assert(ASNAP_RAW_NOT_COUNTED == ASNAP_TABLE_NOT_COUNTED, "the mark of an unknown number");

struct reading {
    struct asnap_raw *raw;
    bool moving;
};

static struct asnap_error *visit(void *context, const struct asnap_extent *extent,
                                 const uint8_t *bytes, const bool *readable)
{
    struct reading *reading = context;
    struct asnap_raw *raw = reading->raw;
    const struct asnap_table_node *nodes = (const void *)bytes;
    size_t first = (size_t)(extent->tag & UINT32_MAX) * ASNAP_TABLE_CHUNK_NODES;
    size_t count = asnap_chunks_items(extent, (uint32_t)raw->node_count, ASNAP_TABLE_CHUNK_NODES);
    for (size_t i = 0; i < count; i++) {
        struct asnap_raw_node *node = &raw->nodes[first + i];
        if (!asnap_extent_readable(readable, extent, i * sizeof(*nodes), sizeof(*nodes))) {
            raw->unreadable_nodes++;
            continue;
        }
        node->pc = asnap_table_node_pc(nodes[i].pc);
        node->parent = nodes[i].parent;
        node->module = asnap_table_node_module(nodes[i].pc);
        if (node->module >= raw->module_count && reading->moving)
            node->module = 0;
    }
    return NULL;
}

/* The frames of a stack that are kept at most: twice as many as the limit, less one. */
#define DEPTH_END (2 * ASNAP_TABLE_FRAME_LIMIT_MAX)

static bool is_right_origin(const struct asnap_raw_node *node)
{
    return node->module == 0 &&
           (node->pc <= ASNAP_TABLE_FRAME_LIMIT_MAX || node->pc == ASNAP_RAW_NOT_COUNTED);
}

/* An origin's pc is a number of frames, or says that nobody counted; other nodes come after their
 * parents, and no stack is longer than the limit allows. Depths take a pass of their own, because
 * chunks are read in order of address. */
static struct asnap_error *check(const struct asnap_raw *raw)
{
    struct asnap_error *error = NULL;
    uint32_t *depths = calloc(raw->node_count, sizeof(*depths));
    if (depths == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < raw->node_count; i++) {
        const struct asnap_raw_node *node = &raw->nodes[i];
        bool origin = node->parent == ASNAP_RAW_NONE;
        bool right = origin ? is_right_origin(node)
                            : node->parent < i && depths[node->parent] + 1 < DEPTH_END &&
                                  (node->module == 0 || node->module < raw->module_count);
        if (!right) {
            error = asnap_error_create(ASNAP_ERROR_DAMAGED,
                                       "the table is damaged (stack node %zu): the program has "
                                       "overwritten it; restart the program to trace it again",
                                       i);
            break;
        }
        depths[i] = origin ? 0 : depths[node->parent] + 1;
    }
    free(depths);
    return error;
}

static struct asnap_error *read_chunks(const struct asnap_memory *memory,
                                       const struct asnap_table_root *root,
                                       struct asnap_chunks *chunks,
                                       const struct asnap_progress *progress, bool moving,
                                       struct asnap_raw *raw)
{
    struct asnap_error *error = asnap_chunks_add(
        chunks, memory, root->node_chunks, root->node_count, ASNAP_TABLE_CHUNK_NODES,
        ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_node), 0);
    if (error != NULL)
        return error;
    raw->unreadable_nodes = chunks->lost_items;
    raw->nodes = calloc(root->node_count, sizeof(*raw->nodes));
    if (raw->nodes == NULL)
        return asnap_error_no_memory();
    raw->node_count = root->node_count;
    for (size_t i = 0; i < raw->node_count; i++)
        raw->nodes[i].parent = ASNAP_RAW_NONE;
    struct reading reading = {.raw = raw, .moving = moving};
    return asnap_read_extents(memory, chunks->extents, chunks->count, "reading stacks", progress,
                              visit, &reading);
}

struct asnap_error *asnap_nodes_read(const struct asnap_memory *memory,
                                     const struct asnap_table_root *root,
                                     const struct asnap_progress *progress, bool moving,
                                     struct asnap_raw *raw)
{
    struct asnap_chunks chunks = {0};
    if (root->node_count == 0)
        return NULL;
    struct asnap_error *error = read_chunks(memory, root, &chunks, progress, moving, raw);
    if (error == NULL)
        error = check(raw);
    asnap_chunks_deinit(&chunks);
    return error;
}
