/* Tables that cannot be, which reading refuses. */
#include <string.h>

#include "test_collect.h"

ASNAP_TEST(collect_refused, refuses_a_root_that_cannot_be)
{
    struct image image;
    collect_fill(&image);
    struct asnap_table_root *root = image_root(&image);
    CU_ASSERT_EQUAL(collect_code(&image), 0);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->magic[3], 'x'), ASNAP_ERROR_NO_HOOKS);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->self, IMAGE_BASE + 4096), ASNAP_ERROR_NO_HOOKS);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->version, 1), ASNAP_ERROR_VERSION);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->byte_order, 0x04030201), ASNAP_ERROR_UNSUPPORTED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->pointer_bytes, 4), ASNAP_ERROR_UNSUPPORTED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->root_bytes, 1), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->shard_bytes, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->record_bytes, 32), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->node_bytes, 24), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->shard_count, 65), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->applied.tracing, 2), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->applied.sample_period, ASNAP_SAMPLE_PERIOD_MAX + 1),
                    ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->applied.frame_limit, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->applied.frame_limit, 65536), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->domain_count, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->domain_count, 257), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->domains[0], 1), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->node_count, UINT32_MAX), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->node_chunks, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->thread_count, 131073), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->thread_chunks, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->module_count, 65537), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->peak_bytes, UINT64_C(1) << 63), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->module_chunks, 0), ASNAP_ERROR_DAMAGED);
    memset(root->hooks_version, 'v', sizeof(root->hooks_version));
    CU_ASSERT_EQUAL(collect_code(&image), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

ASNAP_TEST(collect_refused, refuses_shards_that_cannot_be)
{
    struct image image;
    collect_fill(&image);
    struct asnap_table_root *root = image_root(&image);
    struct asnap_table_shard *shard = &root->shards[asnap_table_shard_of(A)];
    uint64_t *chunks = image_at(&image, shard->chunks);
    CU_ASSERT_EQUAL(CODE_WITH(&image, shard->used, 2 * 1024 + 1), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, shard->chunk_count, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, shard->chunks, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, shard->count, shard->count + 1), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, shard->size, ASNAP_TABLE_SHARD_SIZE_LIMIT),
                    ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, chunks[0], 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, chunks[0], chunks[0] + 4), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, chunks[0], UINT64_MAX - 7), ASNAP_ERROR_DAMAGED);
    /* A made-up number of records must neither pass nor cost their room. */
    shard->chunk_count = UINT32_MAX / 1024;
    CU_ASSERT_EQUAL(CODE_WITH(&image, shard->used, UINT32_MAX / 1024 * 1024), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

ASNAP_TEST(collect_refused, refuses_nodes_that_cannot_be)
{
    struct image image;
    collect_fill(&image);
    struct asnap_table_node *nodes = image_at(&image, IMAGE_NODES);
    CU_ASSERT_EQUAL(collect_code(&image), 0);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[2].parent, 2), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[2].parent, 3), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[1].pc, 65536), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[2].pc, UINT64_C(2) << 48), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[1].pc, UINT64_C(1) << 48), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[1].pc, ASNAP_TABLE_NOT_COUNTED), 0);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[1].pc, ASNAP_TABLE_NOT_COUNTED - 1),
                    ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, nodes[1].pc, UINT64_MAX), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

ASNAP_TEST(collect_refused, refuses_modules_that_cannot_be)
{
    struct image image;
    collect_fill(&image);
    struct asnap_table_module *module =
        (struct asnap_table_module *)image_at(&image, IMAGE_MODULES) + MODULE;
    char *path = image_at(&image, IMAGE_PATHS + 64);
    CU_ASSERT_EQUAL(CODE_WITH(&image, module->start, module->end), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, module->build_id_bytes, 33), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, module->build_id_bytes, 32), 0);
    CU_ASSERT_EQUAL(CODE_WITH(&image, module->path_bytes, 4097), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, module->path_bytes, 11), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, module->path_bytes, 13), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(CODE_WITH(&image, path[3], '\0'), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

/* Twice as many frames as the largest limit, less one, may be kept. */
ASNAP_TEST(collect_refused, refuses_stacks_that_are_too_deep)
{
    enum { DEEPEST = 131069 };
    struct image image;
    collect_fill(&image);
    struct asnap_table_root *root = image_root(&image);
    /* The chunks of nodes lie in a piece of their own, since there are many. */
    const uint64_t first = 0x400000;
    uint64_t *chunks = image_at(&image, IMAGE_NODE_LIST);
    struct asnap_table_node *nodes = image_at(&image, first);
    memset(root->shards, 0, sizeof(root->shards));
    for (uint32_t i = 0; i <= DEEPEST / ASNAP_TABLE_CHUNK_NODES; i++)
        chunks[i] = first + (uint64_t)i * ASNAP_TABLE_CHUNK_NODES * sizeof(*nodes);
    nodes[0] = (struct asnap_table_node){.parent = ASNAP_TABLE_NONE};
    for (uint32_t i = 1; i <= DEEPEST + 1; i++)
        nodes[i] = (struct asnap_table_node){.pc = 0x401000, .parent = i - 1};
    root->node_count = DEEPEST + 1;
    CU_ASSERT_EQUAL(collect_code(&image), 0);
    root->node_count++;
    CU_ASSERT_EQUAL(collect_code(&image), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

ASNAP_TEST(collect_refused, survives_any_damaged_byte)
{
    struct image image;
    collect_fill(&image);
    const uint64_t places[] = {IMAGE_BASE,
                               IMAGE_NODE_LIST,
                               IMAGE_NODES,
                               IMAGE_LISTS + 4096ull * asnap_table_shard_of(A),
                               IMAGE_CHUNKS + 2ull * IMAGE_CHUNK_BYTES * asnap_table_shard_of(A),
                               IMAGE_MORE_LISTS,
                               IMAGE_THREADS,
                               IMAGE_MODULES,
                               IMAGE_PATHS};
    const size_t sizes[] = {
        sizeof(struct asnap_table_root), 16, 5 * 16, 16, 2 * 24, 16, 8, 2 * 64, 128};
    size_t damaged = 0;
    for (size_t place = 0; place < sizeof(sizes) / sizeof(sizes[0]); place++) {
        uint8_t *bytes = image_at(&image, places[place]);
        for (size_t i = 0; i < sizes[place]; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[i] ^= (uint8_t)(1u << bit);
                damaged += collect_code(&image) != 0;
                bytes[i] ^= (uint8_t)(1u << bit);
            }
    }
    CU_ASSERT(damaged > 5000);
    CU_ASSERT_EQUAL(collect_code(&image), 0);
    image_deinit(&image);
}
