/* Reading a table, whole, partial and damaged. */
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "table_image.h"

enum { A = 0x55550000, B = 0x55551000, C = 0x7f0000002000 };

enum { MODULE = 1, THREAD = 1 };

/* Three blocks under main: two from f, one from g, whose stack lost 5 frames. */
static void fill(struct image *image)
{
    image_init(image);
    image_thread(image, 4711);
    image_module(image, 0x400000, 0x500000, "/bin/program");
    uint32_t whole = image_node(image, ASNAP_TABLE_NONE, 0);
    uint32_t cut = image_node(image, ASNAP_TABLE_NONE, 5);
    uint32_t caller = image_node(image, whole, 0x401000);
    uint32_t f = image_node(image, caller, 0x402000 | (uint64_t)MODULE << ASNAP_TABLE_PC_BITS);
    uint32_t g = image_node(image, cut, 0x403000);
    image_root(image)->domain_count = 2;
    image_root(image)->domains[1] = 389047;
    strcpy(image_root(image)->domain_names[1], "pool");
    struct asnap_table_record *first = image_record(image, A, 0, 100, f);
    first->extent |= (uint64_t)THREAD << ASNAP_TABLE_SIZE_BITS;
    first->time = 1234;
    image_record(image, B, 0, 0, f);
    image_record(image, C, 1, 7, g);
}

static struct asnap_raw *read_ok(struct image *image)
{
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_raw_read(&image->memory, IMAGE_BASE, false, NULL, &raw));
    return raw;
}

static const struct asnap_trace *trace_at(const struct asnap_raw *raw, uint64_t address)
{
    for (size_t i = 0; i < raw->trace_count; i++)
        if (raw->traces[i].address == address)
            return &raw->traces[i];
    return NULL;
}

ASNAP_TEST(collect, reads_every_record)
{
    struct image image;
    fill(&image);
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT_EQUAL_FATAL(asnap_raw_trace_count(raw), 3);
    const struct asnap_trace *a = trace_at(raw, A);
    const struct asnap_trace *b = trace_at(raw, B);
    const struct asnap_trace *c = trace_at(raw, C);
    CU_ASSERT_FATAL(a != NULL && b != NULL && c != NULL);
    CU_ASSERT_EQUAL(a->size, 100);
    CU_ASSERT_EQUAL(a->domain, 0);
    CU_ASSERT_EQUAL(a->thread, THREAD);
    CU_ASSERT_EQUAL(a->time, 1234);
    CU_ASSERT_EQUAL(b->thread, 0);
    CU_ASSERT_EQUAL(b->time, 0);
    CU_ASSERT_EQUAL(raw->start_realtime, 1700000000000000000);
    CU_ASSERT_EQUAL_FATAL(raw->thread_count, 2);
    CU_ASSERT_EQUAL(raw->threads[0], 0);
    CU_ASSERT_EQUAL(raw->threads[1], 4711);
    CU_ASSERT_EQUAL_FATAL(raw->module_count, 2);
    CU_ASSERT_PTR_NULL(raw->modules[0].path);
    CU_ASSERT_STRING_EQUAL(raw->modules[MODULE].path, "/bin/program");
    CU_ASSERT_EQUAL(raw->modules[MODULE].start, 0x400000);
    CU_ASSERT_EQUAL(raw->modules[MODULE].end, 0x500000);
    CU_ASSERT_EQUAL(raw->modules[MODULE].build_id_bytes, 0);
    CU_ASSERT_EQUAL(b->size, 0);
    CU_ASSERT_EQUAL(b->traceback_id, a->traceback_id);
    CU_ASSERT_EQUAL(c->size, 7);
    CU_ASSERT_EQUAL(c->domain, 389047);
    CU_ASSERT_EQUAL_FATAL(raw->node_count, 5);
    const struct asnap_raw_node *f = &raw->nodes[a->traceback_id];
    CU_ASSERT_EQUAL(f->pc, 0x402000);
    CU_ASSERT_EQUAL(f->module, MODULE);
    CU_ASSERT_EQUAL(raw->nodes[f->parent].pc, 0x401000);
    CU_ASSERT_EQUAL(raw->nodes[raw->nodes[f->parent].parent].parent, ASNAP_RAW_NONE);
    const struct asnap_raw_node *g = &raw->nodes[c->traceback_id];
    CU_ASSERT_EQUAL(raw->nodes[g->parent].pc, 5);
    CU_ASSERT_EQUAL(raw->frame_limit, 16);
    CU_ASSERT_EQUAL_FATAL(raw->domain_count, 1);
    CU_ASSERT_EQUAL(raw->domains[0].domain, 389047);
    CU_ASSERT_STRING_EQUAL(raw->domains[0].name, "pool");
    CU_ASSERT_EQUAL(raw->dropped + raw->refused + raw->busy_shards + raw->unreadable_bytes, 0);
    CU_ASSERT_EQUAL(raw->bad_records + raw->bad_shards, 0);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, reads_that_older_frames_were_not_counted)
{
    struct image image;
    fill(&image);
    uint32_t origin = image_node(&image, ASNAP_TABLE_NONE, ASNAP_TABLE_NOT_COUNTED);
    image_record(&image, A + 64, 0, 8, image_node(&image, origin, 0x404000));
    struct asnap_raw *raw = read_ok(&image);
    const struct asnap_trace *trace = trace_at(raw, A + 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    const struct asnap_raw_node *node = &raw->nodes[trace->traceback_id];
    CU_ASSERT_EQUAL(node->pc, 0x404000);
    CU_ASSERT_EQUAL(raw->nodes[node->parent].parent, ASNAP_RAW_NONE);
    CU_ASSERT_EQUAL(raw->nodes[node->parent].pc, ASNAP_RAW_NOT_COUNTED);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, leaves_out_what_is_not_live)
{
    struct image image;
    fill(&image);
    struct asnap_table_record *record = image_record(&image, A + 64, 0, 50, 3);
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    record->key = 0;
    shard->count--;
    shard->size -= 50;
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT_EQUAL(raw->trace_count, 3);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, reads_in_large_pieces)
{
    struct image image;
    fill(&image);
    /* Every shard full: 128 chunks that lie end to end, 3 MiB. */
    for (uint64_t part = 0x100; part < 0x100 + 512; part++)
        for (uint64_t block = 0; block < 1024; block++) {
            uint64_t address = part << 20 | block << 6;
            struct asnap_table_shard *shard =
                &image_root(&image)->shards[asnap_table_shard_of(address)];
            if (shard->used < 2 * 1024)
                image_record(&image, address, 0, 1, 3);
        }
    image.reads = 0;
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT(raw->trace_count > 100000);
    /* The root, 64 lists of chunks, the list and the chunk of nodes, the records. */
    CU_ASSERT(image.reads < 64 + 3 + 64);
    CU_ASSERT(image.largest_read > 40000);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, reports_busy_shards_and_drops)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    struct asnap_table_shard *shard = &root->shards[asnap_table_shard_of(A)];
    shard->lock = 2;
    shard->count++; /* counted before its record is published */
    root->dropped = 9;
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT_EQUAL(raw->trace_count, 3);
    CU_ASSERT_EQUAL(raw->busy_shards, 1);
    CU_ASSERT_EQUAL(raw->dropped, 9);
    asnap_raw_destroy(raw);
    struct asnap_status status;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT_EQUAL(status.busy_shards, 1);
    CU_ASSERT_EQUAL(status.dropped, 9);
    image_deinit(&image);
}

ASNAP_TEST(collect, leaves_out_unreadable_records)
{
    struct image image;
    fill(&image);
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    uint64_t *chunks = image_at(&image, shard->chunks);
    image.hole_start = chunks[0];
    image.hole_end = chunks[0] + 4096;
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT_PTR_NULL(trace_at(raw, A));
    CU_ASSERT_PTR_NOT_NULL(trace_at(raw, C));
    CU_ASSERT_EQUAL(raw->unreadable_bytes, shard->used * sizeof(struct asnap_table_record));
    asnap_raw_destroy(raw);

    image.hole_start = shard->chunks;
    image.hole_end = shard->chunks + 8;
    raw = read_ok(&image);
    CU_ASSERT_PTR_NULL(trace_at(raw, A));
    CU_ASSERT_PTR_NOT_NULL(trace_at(raw, C));
    CU_ASSERT_EQUAL(raw->unreadable_bytes, shard->used * sizeof(struct asnap_table_record));
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, saves_records_around_an_unreadable_page)
{
    struct image image;
    fill(&image);
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    uint32_t before = shard->used;
    while (shard->used < 600)
        image_record(&image, A + 64 * shard->used % 4096, 0, 3, 3);
    uint64_t *chunks = image_at(&image, shard->chunks);
    uint64_t page = (chunks[0] + 4096) & ~UINT64_C(4095);
    image.hole_start = page;
    image.hole_end = page + 4096;
    struct asnap_raw *raw = read_ok(&image);
    size_t lost = 0;
    for (uint32_t i = 0; i < shard->used; i++) {
        uint64_t at = chunks[0] + i * sizeof(struct asnap_table_record);
        lost += at + sizeof(struct asnap_table_record) > page && at < page + 4096;
    }
    CU_ASSERT(lost > 100);
    CU_ASSERT_EQUAL(raw->trace_count, 3 + (600 - before) - lost);
    CU_ASSERT_EQUAL(raw->unreadable_bytes, lost * sizeof(struct asnap_table_record));
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, cuts_stacks_at_unreadable_nodes)
{
    struct image image;
    fill(&image);
    image.hole_start = IMAGE_NODE_LIST;
    image.hole_end = IMAGE_NODE_LIST + 1;
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT_EQUAL(raw->trace_count, 3);
    CU_ASSERT_EQUAL(raw->unreadable_nodes, 5);
    CU_ASSERT_EQUAL(raw->nodes[4].parent, ASNAP_RAW_NONE);
    CU_ASSERT_EQUAL(raw->nodes[4].pc, 0);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

/* What is beside the blocks is only not known. */
ASNAP_TEST(collect, leaves_unknown_what_is_unreadable)
{
    struct image image;
    fill(&image);
    static const uint64_t holes[] = {IMAGE_MORE_LISTS, IMAGE_THREADS};
    for (size_t i = 0; i < 2; i++) {
        image.hole_start = holes[i];
        image.hole_end = holes[i] + 1;
        struct asnap_raw *raw = read_ok(&image);
        CU_ASSERT_EQUAL(raw->thread_count, 2);
        CU_ASSERT_EQUAL(raw->threads[THREAD], 0);
        CU_ASSERT_EQUAL(raw->trace_count, 3);
        asnap_raw_destroy(raw);
    }
    static const uint64_t module_holes[] = {IMAGE_MORE_LISTS + 8, IMAGE_MODULES, IMAGE_PATHS + 64};
    for (size_t i = 0; i < 3; i++) {
        image.hole_start = module_holes[i];
        image.hole_end = module_holes[i] + 1;
        struct asnap_raw *raw = read_ok(&image);
        CU_ASSERT_EQUAL(raw->module_count, 2);
        CU_ASSERT_EQUAL(raw->modules[MODULE].end, 0);
        CU_ASSERT_PTR_NULL(raw->modules[MODULE].path);
        CU_ASSERT_EQUAL(raw->nodes[3].module, MODULE);
        asnap_raw_destroy(raw);
    }
    image_deinit(&image);
}

static enum asnap_error_code code_of(struct image *image)
{
    struct asnap_raw *raw = NULL;
    struct asnap_error *error = asnap_raw_read(&image->memory, IMAGE_BASE, false, NULL, &raw);
    if (error == NULL) {
        asnap_raw_destroy(raw);
        return 0;
    }
    CU_ASSERT_PTR_NULL(raw);
    enum asnap_error_code code = asnap_error_code(error);
    CU_ASSERT_PTR_NULL(strchr(asnap_error_message(error), '\n'));
    asnap_error_destroy(error);
    return code;
}

/* Changes one place of a good table, reads it, and changes it back. */
#define CODE_WITH(IMAGE, PLACE, VALUE)                                                             \
    __extension__({                                                                                \
        __typeof__(PLACE) kept_ = (PLACE);                                                         \
        (PLACE) = (VALUE);                                                                         \
        enum asnap_error_code code_ = code_of(IMAGE);                                              \
        (PLACE) = kept_;                                                                           \
        code_;                                                                                     \
    })

ASNAP_TEST(collect, refuses_a_root_that_cannot_be)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    CU_ASSERT_EQUAL(code_of(&image), 0);
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
    CU_ASSERT_EQUAL(code_of(&image), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

ASNAP_TEST(collect, refuses_shards_that_cannot_be)
{
    struct image image;
    fill(&image);
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

ASNAP_TEST(collect, refuses_nodes_that_cannot_be)
{
    struct image image;
    fill(&image);
    struct asnap_table_node *nodes = image_at(&image, IMAGE_NODES);
    CU_ASSERT_EQUAL(code_of(&image), 0);
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

ASNAP_TEST(collect, refuses_modules_that_cannot_be)
{
    struct image image;
    fill(&image);
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
ASNAP_TEST(collect, refuses_stacks_that_are_too_deep)
{
    enum { DEEPEST = 131069 };
    struct image image;
    fill(&image);
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
    CU_ASSERT_EQUAL(code_of(&image), 0);
    root->node_count++;
    CU_ASSERT_EQUAL(code_of(&image), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

ASNAP_TEST(collect, survives_any_damaged_byte)
{
    struct image image;
    fill(&image);
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
                damaged += code_of(&image) != 0;
                bytes[i] ^= (uint8_t)(1u << bit);
            }
    }
    CU_ASSERT(damaged > 5000);
    CU_ASSERT_EQUAL(code_of(&image), 0);
    image_deinit(&image);
}

ASNAP_TEST(collect, heeds_what_was_asked_of_the_hooks)
{
    struct image image;
    struct asnap_status status;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->applied.tracing, 0), ASNAP_ERROR_NOT_TRACING);
    root->control.sequence++;
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->control.tracing, 0), ASNAP_ERROR_NOT_TRACING);
    root->control.clear++;
    struct asnap_raw *raw = read_ok(&image);
    CU_ASSERT_EQUAL(raw->trace_count, 0);
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT(status.tracing && status.request_pending);
    CU_ASSERT_EQUAL(status.traced_count, 0);
    CU_ASSERT_EQUAL(status.peak_size, 0);
    image_deinit(&image);
}

ASNAP_TEST(collect, tells_the_status)
{
    struct image image;
    struct asnap_status status;
    fill(&image);
    image_root(&image)->peak_bytes = 500;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT_STRING_EQUAL(status.hooks_version, "1.2.3");
    CU_ASSERT(status.tracing && !status.request_pending);
    CU_ASSERT_EQUAL(status.frame_limit, 16);
    CU_ASSERT_EQUAL(status.traced_size, 107);
    CU_ASSERT_EQUAL(status.traced_count, 3);
    CU_ASSERT_EQUAL(status.peak_size, 500);
    CU_ASSERT_STRING_EQUAL(status.unseen, "");
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    uint64_t count = shard->count;
    shard->count = (uint64_t)shard->used + 1;
    struct asnap_error *error = asnap_status_read(&image.memory, IMAGE_BASE, &status);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_DAMAGED);
    asnap_error_destroy(error);
    shard->count = count;
    image_root(&image)->preceded = ASNAP_TABLE_FREE;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT_PTR_NOT_NULL(strstr(status.unseen, "defines free, "));
    CU_ASSERT_EQUAL(status.tracker_size, (1 << 20) + sizeof(struct asnap_table_root));
    image_deinit(&image);
}

ASNAP_TEST(collect, finds_the_root_by_symbol_and_by_magic)
{
    struct image image;
    uint64_t found = 0;
    const uint32_t flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    struct asnap_region regions[] = {
        {.start = 0x1000, .end = 0x3000, .flags = flags}, /* not there */
        {.start = IMAGE_BASE - 0x800, .end = IMAGE_BASE + IMAGE_BYTES, .flags = flags},
    };
    fill(&image);
    ASNAP_ASSERT_OK(asnap_root_find(&image.memory, IMAGE_BASE, NULL, 0, NULL, &found));
    CU_ASSERT_EQUAL(found, IMAGE_BASE);
    CU_ASSERT_EQUAL(image.reads, 1);
    found = 0;
    /* The symbol is somebody else's, and a copy of the root lies about. */
    memcpy(image_at(&image, IMAGE_BASE + 0x8000), image_root(&image),
           sizeof(struct asnap_table_root));
    ASNAP_ASSERT_OK(asnap_root_find(&image.memory, IMAGE_BASE + 0x8000, regions, 2, NULL, &found));
    CU_ASSERT_EQUAL(found, IMAGE_BASE);
    found = 0;
    image.hole_start = IMAGE_BASE + 0x100000;
    image.hole_end = IMAGE_BASE + 0x101000;
    ASNAP_ASSERT_OK(asnap_root_find(&image.memory, 0, regions, 2, NULL, &found));
    CU_ASSERT_EQUAL(found, IMAGE_BASE);
    found = 0;
    regions[1].flags = ASNAP_REGION_READABLE;
    ASNAP_ASSERT_ERROR(asnap_root_find(&image.memory, 0, regions, 2, NULL, &found),
                       ASNAP_ERROR_NO_HOOKS);
    regions[1].flags = flags;
    image_root(&image)->version = 7;
    ASNAP_ASSERT_ERROR(asnap_root_find(&image.memory, 0, regions, 2, NULL, &found),
                       ASNAP_ERROR_VERSION);
    image_root(&image)->version = ASNAP_TABLE_VERSION;
    image.interrupt_after = 1;
    ASNAP_ASSERT_ERROR(asnap_root_find(&image.memory, 0, regions, 2, NULL, &found),
                       ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_EQUAL(found, 0);
    image_deinit(&image);
}

/* The symbol's first copy of the hooks may have stepped aside for another. */
ASNAP_TEST(collect, finds_the_root_of_the_hooks_at_work)
{
    struct image image;
    uint64_t found = 0;
    fill(&image);
    uint64_t aside = IMAGE_BASE + 0x9000;
    struct asnap_table_root *root = image_at(&image, aside);
    memcpy(root->magic, ASNAP_TABLE_ASIDE_MAGIC, sizeof(root->magic));
    root->self = IMAGE_BASE;
    ASNAP_ASSERT_OK(asnap_root_find(&image.memory, aside, NULL, 0, NULL, &found));
    CU_ASSERT_EQUAL(found, IMAGE_BASE);
    found = 0;
    image_root(&image)->version = 2;
    ASNAP_ASSERT_ERROR(asnap_root_find(&image.memory, aside, NULL, 0, NULL, &found),
                       ASNAP_ERROR_VERSION);
    image_root(&image)->version = ASNAP_TABLE_VERSION;
    static const uint64_t nowhere[] = {0, 1, IMAGE_BASE + 0x9000, IMAGE_BASE + 8, UINT64_MAX};
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        root->self = nowhere[i];
        ASNAP_ASSERT_ERROR(asnap_root_find(&image.memory, aside, NULL, 0, NULL, &found),
                           ASNAP_ERROR_NO_HOOKS);
    }
    CU_ASSERT_EQUAL(found, 0);
    image_deinit(&image);
}

static bool refuse(void *context, const char *step, uint64_t done, uint64_t total)
{
    size_t *calls = context;
    CU_ASSERT(step != NULL && done <= total);
    return (*calls)-- > 1;
}

ASNAP_TEST(collect, stops_when_asked)
{
    struct image image;
    struct asnap_raw *raw = NULL;
    fill(&image);
    CU_ASSERT_EQUAL(code_of(&image), 0);
    int64_t needed = (int64_t)image.reads;
    CU_ASSERT(needed >= 5);
    for (int64_t reads = 0; reads < needed; reads++) {
        image.interrupt_after = reads;
        CU_ASSERT_EQUAL(code_of(&image), ASNAP_ERROR_INTERRUPTED);
    }
    image.interrupt_after = -1;
    size_t calls = 1;
    struct asnap_progress progress = {.report = refuse, .context = &calls};
    ASNAP_ASSERT_ERROR(asnap_raw_read(&image.memory, IMAGE_BASE, false, &progress, &raw),
                       ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_PTR_NULL(raw);
    image_deinit(&image);
}

static struct asnap_error *find_and_read(void *context)
{
    struct image *image = context;
    struct asnap_region region = {.start = IMAGE_BASE,
                                  .end = IMAGE_BASE + 0x10000,
                                  .flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE};
    uint64_t root;
    struct asnap_raw *raw;
    struct asnap_error *error = asnap_root_find(&image->memory, 0, &region, 1, NULL, &root);
    if (error == NULL)
        error = asnap_raw_read(&image->memory, root, false, NULL, &raw);
    if (error == NULL) {
        CU_ASSERT_EQUAL(asnap_raw_trace_count(raw), 3);
        asnap_raw_destroy(raw);
    }
    return error;
}

ASNAP_TEST(collect, survives_every_failing_allocation)
{
    struct image image;
    fill(&image);
    CU_ASSERT(asnap_unit_sweep(find_and_read, &image) >= 5);
    image_deinit(&image);
}

ASNAP_TEST(collect, lets_the_table_change_while_the_program_goes_on)
{
    struct image image;
    struct asnap_raw *raw = NULL;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    /* A block more than when the root was read, and one with a stack newer than it. */
    root->shards[asnap_table_shard_of(A)].count--;
    image_record(&image, C + 64, 0, 9, root->node_count);
    ASNAP_ASSERT_OK(asnap_raw_read(&image.memory, IMAGE_BASE, false, NULL, &raw));
    CU_ASSERT_EQUAL(raw->bad_records, 1);
    CU_ASSERT_EQUAL(raw->bad_shards, 1);
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_OK(asnap_raw_read(&image.memory, IMAGE_BASE, true, NULL, &raw));
    CU_ASSERT_EQUAL(raw->trace_count, 3);
    CU_ASSERT_EQUAL(raw->busy_shards, 2);
    CU_ASSERT_EQUAL(raw->bad_records + raw->bad_shards, 0);
    CU_ASSERT_PTR_NOT_NULL(trace_at(raw, A));
    CU_ASSERT_PTR_NULL(trace_at(raw, C + 64));
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_ERROR(asnap_raw_read(&image.memory, IMAGE_BASE + 4096, true, NULL, &raw),
                       ASNAP_ERROR_NO_HOOKS);
    image_deinit(&image);
}
