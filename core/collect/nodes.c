#include "nodes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chunks.h"
#include "error.h"

_Static_assert(ASNAP_RAW_NONE == ASNAP_TABLE_NONE, "the mark of an origin");

struct reading {
    struct asnap_raw *raw;
};

static struct asnap_error *visit(void *context, const struct asnap_extent *extent,
                                 const uint8_t *bytes, const bool *readable)
{
    struct reading *reading = context;
    struct asnap_raw *raw = reading->raw;
    const struct asnap_table_node *nodes = (const void *)bytes;
    size_t first = (size_t)(extent->tag & UINT32_MAX) * ASNAP_TABLE_CHUNK_NODES;
    for (size_t i = 0; i < extent->size / sizeof(*nodes); i++) {
        struct asnap_raw_node *node = &raw->nodes[first + i];
        if (!asnap_extent_readable(readable, extent, i * sizeof(*nodes), sizeof(*nodes))) {
            raw->unreadable_nodes++;
            continue;
        }
        node->pc = nodes[i].pc;
        node->parent = nodes[i].parent;
    }
    return NULL;
}

/* An origin's pc is a number of frames; other nodes come after their parents, and no
 * stack is longer than the limit allows. Depths take a pass of their own, because
 * chunks are read in order of address. */
static struct asnap_error *check(const struct asnap_raw *raw)
{
    struct asnap_error *error = NULL;
    uint16_t *depths = calloc(raw->node_count, sizeof(*depths));
    if (depths == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < raw->node_count; i++) {
        const struct asnap_raw_node *node = &raw->nodes[i];
        bool origin = node->parent == ASNAP_RAW_NONE;
        bool right = origin ? node->pc <= ASNAP_TABLE_FRAME_LIMIT_MAX
                            : node->parent < i && depths[node->parent] < UINT16_MAX;
        if (!right) {
            error = asnap_error_create(ASNAP_ERROR_DAMAGED,
                                       "the table is damaged (stack node %zu): the program has "
                                       "overwritten it; restart the program to trace it again",
                                       i);
            break;
        }
        depths[i] = origin ? 0 : (uint16_t)(depths[node->parent] + 1);
    }
    free(depths);
    return error;
}

static struct asnap_error *read_chunks(const struct asnap_memory *memory,
                                       const struct asnap_table_root *root,
                                       struct asnap_chunks *chunks,
                                       const struct asnap_progress *progress, struct asnap_raw *raw)
{
    struct asnap_error *error =
        asnap_chunks_add(chunks, memory, root->node_chunks, root->node_count,
                         sizeof(struct asnap_table_node), ASNAP_TABLE_CHUNK_NODES, 0);
    if (error != NULL)
        return error;
    raw->unreadable_nodes = chunks->lost_items;
    raw->nodes = calloc(root->node_count, sizeof(*raw->nodes));
    if (raw->nodes == NULL)
        return asnap_error_no_memory();
    raw->node_count = root->node_count;
    for (size_t i = 0; i < raw->node_count; i++)
        raw->nodes[i].parent = ASNAP_RAW_NONE;
    struct reading reading = {.raw = raw};
    return asnap_read_extents(memory, chunks->extents, chunks->count, "reading stacks", progress,
                              visit, &reading);
}

struct asnap_error *asnap_nodes_read(const struct asnap_memory *memory,
                                     const struct asnap_table_root *root,
                                     const struct asnap_progress *progress, struct asnap_raw *raw)
{
    struct asnap_chunks chunks = {0};
    if (root->node_count == 0)
        return NULL;
    struct asnap_error *error = read_chunks(memory, root, &chunks, progress, raw);
    if (error == NULL)
        error = check(raw);
    asnap_chunks_deinit(&chunks);
    return error;
}
