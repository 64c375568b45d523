#include "nodes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chunks.h"
#include "error.h"

_Static_assert(ASNAP_RAW_NONE == ASNAP_TABLE_NONE, "the mark of an origin");
_Static_assert(ASNAP_RAW_NOT_COUNTED == ASNAP_TABLE_NOT_COUNTED, "the mark of an unknown number");

#define CHUNK_BYTES (ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_node))

/* Where the size of the process's memory is not known, the table's counts are trusted as far as
 * this many bytes. */
#define BELIEVED_BYTES ((uint64_t)64 << 20)

struct reading {
    const struct asnap_table_root *root;
    const struct asnap_node_places *places;
    struct asnap_raw *raw;
    bool moving;
};

static uint32_t chunk_of(const struct asnap_extent *extent)
{
    return (uint32_t)extent->tag;
}

static struct asnap_error *visit(void *context, const struct asnap_extent *extent,
                                 const uint8_t *bytes, const bool *readable)
{
    struct reading *reading = context;
    struct asnap_raw *raw = reading->raw;
    const struct asnap_table_node *nodes = (const void *)bytes;
    size_t count = asnap_chunks_items(extent, reading->root->node_count, ASNAP_TABLE_CHUNK_NODES);
    size_t first = asnap_node_place(reading->places, chunk_of(extent) * ASNAP_TABLE_CHUNK_NODES);
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

/* An origin's pc is a number of frames, or says "not counted"; other nodes come after their
 * parents, and no stack is longer than the limit allows. Depths take a pass of their own, because
 * chunks are read in order of address. */
static struct asnap_error *check(const struct asnap_inferior *inferior,
                                 const struct asnap_table_root *root,
                                 const struct asnap_node_places *places, struct asnap_raw *raw)
{
    uint32_t *depths = calloc(raw->node_count, sizeof(*depths));
    if (depths == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < raw->node_count && error == NULL; i++) {
        struct asnap_raw_node *node = &raw->nodes[i];
        bool origin = node->parent == ASNAP_RAW_NONE;
        bool right = origin ? is_right_origin(node) : node->parent < root->node_count;
        if (right && !origin) {
            node->parent = asnap_node_place(places, node->parent);
            right = node->parent < i && depths[node->parent] + 1 < DEPTH_END &&
                    (node->module == 0 || node->module < raw->module_count);
        }
        if (right) {
            depths[i] = origin ? 0 : depths[node->parent] + 1;
            error = asnap_inferior_ask_often(inferior, i);
        } else {
            error = asnap_error_create(ASNAP_ERROR_DAMAGED,
                                       "the table is damaged (stack node %zu): the program has "
                                       "overwritten it; restart the program to trace it again",
                                       i);
        }
    }
    free(depths);
    return error;
}

/* Whether a chunk is there: its first or its last node, that is. A core file is cut off in one
 * place, so that no chunk lacks both and has others. */
static struct asnap_error *probe(struct asnap_inferior *inferior, const struct asnap_extent *extent,
                                 bool *is_there)
{
    const struct asnap_memory *memory = inferior->memory;
    const size_t size = sizeof(struct asnap_table_node);
    const size_t places[] = {0, extent->size - size};
    struct asnap_error *error = asnap_inferior_ask(inferior, "", 0, 0);
    *is_there = false;
    for (size_t i = 0; i < 2 && !*is_there && error == NULL; i++) {
        struct asnap_table_node node;
        int result = memory->read(memory->context, extent->address + places[i], &node, size);
        if (result == ASNAP_READ_INTERRUPTED)
            error = asnap_error_interrupted("reading memory");
        *is_there = result == ASNAP_READ_OK;
    }
    return error;
}

/* Finds out which chunks are there, of a table that may say that it has far more; keeps those. */
static struct asnap_error *find_places(struct asnap_inferior *inferior,
                                       const struct asnap_table_root *root,
                                       struct asnap_chunks *chunks,
                                       struct asnap_node_places *places, size_t *node_count)
{
    struct asnap_inferior pages = *inferior;
    size_t kept = 0;
    places->first = calloc(ASNAP_TABLE_NODE_CHUNKS, sizeof(*places->first));
    if (places->first == NULL)
        return asnap_error_no_memory();
    *node_count = 1;
    for (size_t i = 0; i < chunks->count; i++) {
        const struct asnap_extent extent = chunks->extents[i];
        size_t items = asnap_chunks_items(&extent, root->node_count, ASNAP_TABLE_CHUNK_NODES);
        bool is_there;
        struct asnap_error *error = probe(inferior, &extent, &is_there);
        /* Of chunks of which only a page is there, there cannot be more than pages. */
        if (error == NULL && is_there)
            error = asnap_inferior_take(&pages, ASNAP_READ_PAGE);
        if (error != NULL)
            return error;
        if (!is_there) {
            chunks->lost_items += items;
            continue;
        }
        places->first[chunk_of(&extent)] = (uint32_t)*node_count;
        *node_count += items;
        chunks->extents[kept++] = extent;
    }
    chunks->count = kept;
    return NULL;
}

/* Whether there can be as many nodes as the table says. */
static bool is_believed(const struct asnap_inferior *inferior, const struct asnap_table_root *root)
{
    uint64_t bytes = (uint64_t)root->node_count * sizeof(struct asnap_table_node);
    return bytes <= (inferior->left == ASNAP_LEFT_UNKNOWN ? BELIEVED_BYTES : inferior->left);
}

static struct asnap_error *read_chunks(struct asnap_inferior *inferior, struct asnap_chunks *chunks,
                                       struct reading *reading, struct asnap_node_places *places)
{
    const struct asnap_table_root *root = reading->root;
    struct asnap_raw *raw = reading->raw;
    size_t node_count = root->node_count;
    struct asnap_error *error =
        asnap_chunks_add(chunks, inferior, root->node_chunks, root->node_count,
                         ASNAP_TABLE_CHUNK_NODES, CHUNK_BYTES, 0);
    if (error == NULL && !is_believed(inferior, root))
        error = find_places(inferior, root, chunks, places, &node_count);
    if (error != NULL)
        return error;
    raw->unreadable_nodes = chunks->lost_items;
    raw->nodes = calloc(node_count, sizeof(*raw->nodes));
    if (raw->nodes == NULL)
        return asnap_error_no_memory();
    raw->node_count = node_count;
    for (size_t i = 0; i < raw->node_count; i++)
        raw->nodes[i].parent = ASNAP_RAW_NONE;
    return asnap_read_extents(inferior, chunks->extents, chunks->count, "reading stacks", visit,
                              reading);
}

struct asnap_error *asnap_nodes_read(struct asnap_inferior *inferior,
                                     const struct asnap_table_root *root, bool moving,
                                     struct asnap_node_places *places, struct asnap_raw *raw)
{
    struct asnap_chunks chunks = {0};
    struct reading reading = {.root = root, .places = places, .raw = raw, .moving = moving};
    if (root->node_count == 0)
        return NULL;
    struct asnap_error *error = read_chunks(inferior, &chunks, &reading, places);
    if (error == NULL)
        error = check(inferior, root, places, raw);
    asnap_chunks_deinit(&chunks);
    return error;
}

void asnap_node_places_deinit(struct asnap_node_places *places)
{
    free(places->first);
}
