/* A table that says that it has more than there is: what that costs, and that it can be stopped. */
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "table_image.h"

enum { A = 0x55550000, B = 0x7f0000002000 };

#define MIB ((size_t)1 << 20)
#define CHUNK_NODES ASNAP_TABLE_CHUNK_NODES

/* Nothing is mapped there. */
#define NOWHERE UINT64_C(0x7f0000000000)

static struct asnap_table_shard *shard_of(struct image *image, uint64_t address)
{
    return &image_root(image)->shards[asnap_table_shard_of(address)];
}

static struct asnap_error *try(struct image *image, const struct asnap_progress *progress)
{
    struct asnap_raw *raw = NULL;
    struct asnap_error *error = asnap_raw_read(&image->memory, IMAGE_BASE, false, progress, &raw);
    asnap_raw_destroy(raw);
    return error;
}

static bool is_damaged(struct image *image, const char *what)
{
    struct asnap_error *error = try(image, NULL);
    bool right = error != NULL && asnap_error_code(error) == ASNAP_ERROR_DAMAGED &&
                 strstr(asnap_error_message(error), what) != NULL;
    asnap_error_destroy(error);
    return right;
}

/* Two blocks of one stack. */
static void fill(struct image *image)
{
    image_init(image);
    image_thread(image, 4711);
    image_module(image, 0x400000, 0x500000, "/bin/program");
    uint32_t origin = image_node(image, ASNAP_TABLE_NONE, 0);
    uint32_t node = image_node(image, origin, 0x401000);
    image_record(image, A, 0, 100, node);
    image_record(image, B, 0, 7, node);
}

/* ---- nodes ---- */

ASNAP_TEST(collect_bounds, nodes_that_are_not_there_take_no_room)
{
    struct image image;
    fill(&image);
    image_root(&image)->node_count = ASNAP_TABLE_NODE_CHUNKS * CHUNK_NODES;
    /* Behind this list nothing is mapped. */
    image_root(&image)->node_chunks = IMAGE_BASE + IMAGE_BYTES - 4096;
    uint64_t *chunks = image_at(&image, IMAGE_BASE + IMAGE_BYTES - 4096);
    chunks[0] = IMAGE_NODES;
    for (uint64_t i = 1; i < 512; i++)
        chunks[i] = NOWHERE + i * CHUNK_NODES * sizeof(struct asnap_table_node);
    struct asnap_raw *raw = NULL;
    asnap_unit_requested();
    ASNAP_ASSERT_OK(asnap_raw_read(&image.memory, IMAGE_BASE, false, NULL, &raw));
    CU_ASSERT(asnap_unit_requested() < 8 * MIB);
    CU_ASSERT_EQUAL(raw->trace_count, 2);
    /* The origin of what is missing, and those of the first chunk. */
    CU_ASSERT_EQUAL_FATAL(raw->node_count, 1 + CHUNK_NODES);
    CU_ASSERT_EQUAL(raw->nodes[0].parent, ASNAP_RAW_NONE);
    CU_ASSERT_EQUAL(raw->nodes[0].pc, 0);
    const struct asnap_raw_node *node = &raw->nodes[raw->traces[0].traceback_id];
    CU_ASSERT_EQUAL(node->pc, 0x401000);
    CU_ASSERT_EQUAL(raw->nodes[node->parent].parent, ASNAP_RAW_NONE);
    /* Lists beyond the first page, and the chunks of that page but the first. */
    CU_ASSERT_EQUAL(raw->unreadable_nodes, (ASNAP_TABLE_NODE_CHUNKS - 1) * CHUNK_NODES);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

/* Of five chunks the second and the last two are missing. */
static void scatter(struct image *image)
{
    static const uint64_t places[] = {IMAGE_NODES, NOWHERE,
                                      IMAGE_NODES + CHUNK_NODES * sizeof(struct asnap_table_node),
                                      NOWHERE + MIB, NOWHERE + 2 * MIB};
    memcpy(image_at(image, IMAGE_NODE_LIST), places, sizeof(places));
    image_root(image)->node_count = 5 * CHUNK_NODES;
    struct asnap_table_node *nodes = image_at(image, IMAGE_NODES);
    struct asnap_table_node *third = nodes + CHUNK_NODES;
    for (size_t i = 0; i < 2 * (size_t)CHUNK_NODES; i++)
        nodes[i] = (struct asnap_table_node){.parent = ASNAP_TABLE_NONE};
    nodes[1] = (struct asnap_table_node){.pc = 0x401000, .parent = 0};
    third[5] = (struct asnap_table_node){.pc = 0x402000, .parent = 1};
    third[6] = (struct asnap_table_node){.pc = 0x403000, .parent = CHUNK_NODES + 3};
    third[7] = (struct asnap_table_node){.pc = 0x404000, .parent = 2 * CHUNK_NODES + 6};
}

static const struct asnap_raw_node *node_of(const struct asnap_raw *raw, uint64_t address)
{
    for (size_t i = 0; i < raw->trace_count; i++)
        if (raw->traces[i].address == address)
            return &raw->nodes[raw->traces[i].traceback_id];
    return NULL;
}

ASNAP_TEST(collect_bounds, stacks_keep_what_is_there_of_them)
{
    struct image image;
    fill(&image);
    scatter(&image);
    const uint32_t stacks[] = {2 * CHUNK_NODES + 5, 2 * CHUNK_NODES + 7, CHUNK_NODES + 9,
                               4 * CHUNK_NODES + 1};
    for (uint64_t i = 0; i < 4; i++)
        image_record(&image, A + 64 * (i + 1), 0, 1, stacks[i]);
    /* Less than all nodes would be. */
    image.memory.bytes = 5 * CHUNK_NODES * sizeof(struct asnap_table_node) - 1;
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_raw_read(&image.memory, IMAGE_BASE, false, NULL, &raw));
    CU_ASSERT_EQUAL(raw->unreadable_nodes, 3 * CHUNK_NODES);
    const struct asnap_raw_node *node = node_of(raw, A + 64);
    CU_ASSERT_FATAL(node != NULL && node->pc == 0x402000);
    node = &raw->nodes[node->parent];
    CU_ASSERT_EQUAL(node->pc, 0x401000);
    CU_ASSERT_EQUAL(raw->nodes[node->parent].parent, ASNAP_RAW_NONE);
    node = node_of(raw, A + 128);
    CU_ASSERT_FATAL(node != NULL && node->pc == 0x404000);
    node = &raw->nodes[node->parent];
    CU_ASSERT_EQUAL(node->pc, 0x403000);
    CU_ASSERT_EQUAL(node->parent, 0);
    for (uint64_t i = 3; i <= 4; i++)
        CU_ASSERT_PTR_EQUAL(node_of(raw, A + 64 * i), &raw->nodes[0]);
    asnap_raw_destroy(raw);
    /* What is there is checked as always. */
    struct asnap_table_node *third =
        (struct asnap_table_node *)image_at(&image, IMAGE_NODES) + CHUNK_NODES;
    third[5].parent = 2 * CHUNK_NODES + 5;
    CU_ASSERT(is_damaged(&image, "stack node"));
    third[5].parent = 5 * CHUNK_NODES;
    CU_ASSERT(is_damaged(&image, "stack node"));
    image_deinit(&image);
}

/* One page of memory at the end of each of 2048 chunks: together more than there is. */
ASNAP_TEST(collect_bounds, one_page_is_not_at_every_address)
{
    struct image image;
    fill(&image);
    image_root(&image)->node_count = 512 * CHUNK_NODES;
    uint64_t *chunks = image_at(&image, IMAGE_NODE_LIST);
    for (uint64_t i = 0; i < 512; i++)
        chunks[i] = IMAGE_NODES + 8 * i;
    image.memory.bytes = 400 * 4096;
    asnap_unit_requested();
    CU_ASSERT(is_damaged(&image, "its parts are larger than all the memory"));
    CU_ASSERT(asnap_unit_requested() < MIB);
    image_deinit(&image);
}

/* ---- records ---- */

ASNAP_TEST(collect_bounds, no_part_is_there_twice)
{
    struct image image;
    fill(&image);
    struct asnap_table_shard *shard = shard_of(&image, A);
    struct asnap_table_shard *other = shard_of(&image, B);
    CU_ASSERT_FATAL(shard != other);
    uint64_t *chunks = image_at(&image, shard->chunks);
    uint64_t second = chunks[1];
    shard->used = 2 * ASNAP_TABLE_CHUNK_RECORDS;
    ASNAP_ASSERT_OK(try(&image, NULL));
    chunks[1] = chunks[0];
    CU_ASSERT(is_damaged(&image, "two of its parts are at"));
    chunks[1] = chunks[0] + 8;
    CU_ASSERT(is_damaged(&image, "two of its parts are at"));
    chunks[1] = chunks[0] + IMAGE_CHUNK_BYTES - 8;
    CU_ASSERT(is_damaged(&image, "two of its parts are at"));
    chunks[1] = second;
    uint64_t *others = image_at(&image, other->chunks);
    others[0] = second;
    CU_ASSERT(is_damaged(&image, "two of its parts are at"));
    image_deinit(&image);
}

/* All lists of all shards lead to one chunk, 2^30 times. */
ASNAP_TEST(collect_bounds, shards_as_large_as_they_can_be)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    uint64_t *list = image_at(&image, IMAGE_LISTS);
    uint64_t chunk = list[0];
    for (size_t i = 0; i < ASNAP_TABLE_SHARD_CHUNKS; i++)
        list[i] = chunk;
    for (size_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        root->shards[i] = (struct asnap_table_shard){
            .used = ASNAP_TABLE_SHARD_CHUNKS * ASNAP_TABLE_CHUNK_RECORDS,
            .chunks = IMAGE_LISTS,
            .chunk_count = ASNAP_TABLE_SHARD_CHUNKS,
        };
    image.memory.bytes = IMAGE_BYTES;
    asnap_unit_requested();
    CU_ASSERT(is_damaged(&image, "its parts are larger than all the memory"));
    CU_ASSERT(asnap_unit_requested() < 128 * MIB);
    /* No shard has more. */
    root->shards[0].chunk_count++;
    CU_ASSERT(is_damaged(&image, "shard 0"));
    image_deinit(&image);
}

/* Records of a live process, of which nobody knows how much memory it has. */
ASNAP_TEST(collect_bounds, records_that_are_not_there_take_little_room)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    for (size_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        root->shards[i].used = ASNAP_TABLE_SHARD_CHUNKS * ASNAP_TABLE_CHUNK_RECORDS;
        root->shards[i].chunks = NOWHERE;
        root->shards[i].chunk_count = ASNAP_TABLE_SHARD_CHUNKS;
    }
    struct asnap_raw *raw = NULL;
    asnap_unit_requested();
    ASNAP_ASSERT_OK(asnap_raw_read(&image.memory, IMAGE_BASE, false, NULL, &raw));
    CU_ASSERT(asnap_unit_requested() < 256 * MIB);
    CU_ASSERT_EQUAL(raw->unreadable_bytes, UINT64_C(24) << 30);
    CU_ASSERT_EQUAL(raw->trace_count, 0);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

/* Each byte counts once: chunks, their lists, paths. */
ASNAP_TEST(collect_bounds, all_that_is_read_counts)
{
    struct image image;
    fill(&image);
    const size_t chunks = CHUNK_NODES * sizeof(struct asnap_table_node) +
                          ASNAP_TABLE_CHUNK_THREADS * sizeof(uint32_t) +
                          ASNAP_TABLE_CHUNK_MODULES * sizeof(struct asnap_table_module) +
                          2 * IMAGE_CHUNK_BYTES;
    const size_t lists = 5 * sizeof(uint64_t);
    image.memory.bytes = chunks + lists + sizeof("/bin/program");
    ASNAP_ASSERT_OK(try(&image, NULL));
    image.memory.bytes--;
    CU_ASSERT(is_damaged(&image, "its parts are larger than all the memory"));
    image_deinit(&image);
}

ASNAP_TEST(collect_bounds, modules_of_one_path)
{
    struct image image;
    fill(&image);
    struct asnap_table_module *modules = image_at(&image, IMAGE_MODULES);
    memset(image_at(&image, IMAGE_PATHS), 'p', 4096);
    *(char *)image_at(&image, IMAGE_PATHS + 4096) = '\0';
    for (size_t i = 1; i < ASNAP_TABLE_CHUNK_MODULES; i++)
        modules[i] = (struct asnap_table_module){
            .start = 1, .end = 2, .path = IMAGE_PATHS, .path_bytes = 4096};
    image_root(&image)->module_count = ASNAP_TABLE_CHUNK_MODULES;
    image.memory.bytes = 40 * 4096;
    CU_ASSERT(is_damaged(&image, "its parts are larger than all the memory"));
    image_deinit(&image);
}

/* ---- Ctrl-C ---- */

struct asked {
    size_t times;
    size_t stop_at; /* the question that is answered with no; SIZE_MAX: none */
};

static bool report(void *context, const char *step, uint64_t done, uint64_t total)
{
    struct asked *asked = context;
    CU_ASSERT(step != NULL && (total == 0 || done <= total));
    return asked->times++ != asked->stop_at;
}

ASNAP_TEST(collect_bounds, can_be_stopped_at_each_question)
{
    struct image image;
    fill(&image);
    struct asked asked = {.stop_at = SIZE_MAX};
    const struct asnap_progress progress = {.report = report, .context = &asked};
    ASNAP_ASSERT_OK(try(&image, &progress));
    size_t questions = asked.times;
    /* A list and its chunk each of threads, modules, nodes, and of two shards. */
    CU_ASSERT_EQUAL(questions, 10);
    for (size_t i = 0; i < questions; i++) {
        asked = (struct asked){.stop_at = i};
        ASNAP_ASSERT_ERROR(try(&image, &progress), ASNAP_ERROR_INTERRUPTED);
        CU_ASSERT_EQUAL(asked.times, i + 1);
    }
    image_deinit(&image);
}

/* ---- looking for the root ---- */

ASNAP_TEST(collect_bounds, regions_as_large_as_all_memory)
{
    struct image image;
    fill(&image);
    const uint32_t flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    const struct asnap_region regions[] = {
        {.start = UINT64_C(1) << 40, .end = UINT64_C(1) << 47, .flags = flags},
        {.start = UINT64_C(1) << 48, .end = UINT64_MAX, .flags = flags},
        {.start = IMAGE_BASE, .end = IMAGE_BASE + IMAGE_BYTES, .flags = flags},
    };
    uint64_t root = 0;
    struct asked asked = {.stop_at = SIZE_MAX};
    const struct asnap_progress progress = {.report = report, .context = &asked};
    image.reads = 0;
    ASNAP_ASSERT_OK(asnap_root_find(&image.memory, 0, regions, 3, &progress, &root));
    CU_ASSERT_EQUAL(root, IMAGE_BASE);
    /* 64 MiB of each are tried, in halves down to pages. */
    CU_ASSERT(image.reads < 2 * 2 * (64 * MIB / 4096) + 100);
    CU_ASSERT(asked.times >= 2 * 16 + 3);
    size_t questions = asked.times;
    for (size_t i = 0; i < questions; i++) {
        asked = (struct asked){.stop_at = i};
        ASNAP_ASSERT_ERROR(asnap_root_find(&image.memory, 0, regions, 3, &progress, &root),
                           ASNAP_ERROR_INTERRUPTED);
    }
    image_deinit(&image);
}
