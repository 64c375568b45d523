/* Reading a table, whole and in part. */
#include <stdlib.h>
#include <string.h>

#include "test_collect.h"

ASNAP_TEST(collect, reads_every_record)
{
    struct image image;
    collect_fill(&image);
    struct asnap_raw *raw = collect_read(&image);
    CU_ASSERT_EQUAL_FATAL(asnap_raw_trace_count(raw), 3);
    const struct asnap_trace *a = collect_trace_at(raw, A);
    const struct asnap_trace *b = collect_trace_at(raw, B);
    const struct asnap_trace *c = collect_trace_at(raw, C);
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
    collect_fill(&image);
    uint32_t origin = image_node(&image, ASNAP_TABLE_NONE, ASNAP_TABLE_NOT_COUNTED);
    image_record(&image, A + 64, 0, 8, image_node(&image, origin, 0x404000));
    struct asnap_raw *raw = collect_read(&image);
    const struct asnap_trace *trace = collect_trace_at(raw, A + 64);
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
    collect_fill(&image);
    struct asnap_table_record *record = image_record(&image, A + 64, 0, 50, 3);
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    record->key = 0;
    shard->count--;
    shard->size -= 50;
    struct asnap_raw *raw = collect_read(&image);
    CU_ASSERT_EQUAL(raw->trace_count, 3);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, reads_in_large_pieces)
{
    struct image image;
    collect_fill(&image);
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
    struct asnap_raw *raw = collect_read(&image);
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
    collect_fill(&image);
    struct asnap_table_root *root = image_root(&image);
    struct asnap_table_shard *shard = &root->shards[asnap_table_shard_of(A)];
    shard->lock = 2;
    shard->count++; /* counted before its record is published */
    root->dropped = 9;
    struct asnap_raw *raw = collect_read(&image);
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
    collect_fill(&image);
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    uint64_t *chunks = image_at(&image, shard->chunks);
    image.hole_start = chunks[0];
    image.hole_end = chunks[0] + 4096;
    struct asnap_raw *raw = collect_read(&image);
    CU_ASSERT_PTR_NULL(collect_trace_at(raw, A));
    CU_ASSERT_PTR_NOT_NULL(collect_trace_at(raw, C));
    CU_ASSERT_EQUAL(raw->unreadable_bytes, shard->used * sizeof(struct asnap_table_record));
    asnap_raw_destroy(raw);

    image.hole_start = shard->chunks;
    image.hole_end = shard->chunks + 8;
    raw = collect_read(&image);
    CU_ASSERT_PTR_NULL(collect_trace_at(raw, A));
    CU_ASSERT_PTR_NOT_NULL(collect_trace_at(raw, C));
    CU_ASSERT_EQUAL(raw->unreadable_bytes, shard->used * sizeof(struct asnap_table_record));
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(collect, saves_records_around_an_unreadable_page)
{
    struct image image;
    collect_fill(&image);
    struct asnap_table_shard *shard = &image_root(&image)->shards[asnap_table_shard_of(A)];
    uint32_t before = shard->used;
    while (shard->used < 600)
        image_record(&image, A + 64 * shard->used % 4096, 0, 3, 3);
    uint64_t *chunks = image_at(&image, shard->chunks);
    uint64_t page = (chunks[0] + 4096) & ~UINT64_C(4095);
    image.hole_start = page;
    image.hole_end = page + 4096;
    struct asnap_raw *raw = collect_read(&image);
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
    collect_fill(&image);
    image.hole_start = IMAGE_NODE_LIST;
    image.hole_end = IMAGE_NODE_LIST + 1;
    struct asnap_raw *raw = collect_read(&image);
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
    collect_fill(&image);
    static const uint64_t holes[] = {IMAGE_MORE_LISTS, IMAGE_THREADS};
    for (size_t i = 0; i < 2; i++) {
        image.hole_start = holes[i];
        image.hole_end = holes[i] + 1;
        struct asnap_raw *raw = collect_read(&image);
        CU_ASSERT_EQUAL(raw->thread_count, 2);
        CU_ASSERT_EQUAL(raw->threads[THREAD], 0);
        CU_ASSERT_EQUAL(raw->trace_count, 3);
        asnap_raw_destroy(raw);
    }
    static const uint64_t module_holes[] = {IMAGE_MORE_LISTS + 8, IMAGE_MODULES, IMAGE_PATHS + 64};
    for (size_t i = 0; i < 3; i++) {
        image.hole_start = module_holes[i];
        image.hole_end = module_holes[i] + 1;
        struct asnap_raw *raw = collect_read(&image);
        CU_ASSERT_EQUAL(raw->module_count, 2);
        CU_ASSERT_EQUAL(raw->modules[MODULE].end, 0);
        CU_ASSERT_PTR_NULL(raw->modules[MODULE].path);
        CU_ASSERT_EQUAL(raw->nodes[3].module, MODULE);
        asnap_raw_destroy(raw);
    }
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
    collect_fill(&image);
    CU_ASSERT_EQUAL(collect_code(&image), 0);
    int64_t needed = (int64_t)image.reads;
    CU_ASSERT(needed >= 5);
    for (int64_t reads = 0; reads < needed; reads++) {
        image.interrupt_after = reads;
        CU_ASSERT_EQUAL(collect_code(&image), ASNAP_ERROR_INTERRUPTED);
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
    collect_fill(&image);
    CU_ASSERT(asnap_unit_sweep(find_and_read, &image) >= 5);
    image_deinit(&image);
}

ASNAP_TEST(collect, lets_the_table_change_while_the_program_goes_on)
{
    struct image image;
    struct asnap_raw *raw = NULL;
    collect_fill(&image);
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
    CU_ASSERT_PTR_NOT_NULL(collect_trace_at(raw, A));
    CU_ASSERT_PTR_NULL(collect_trace_at(raw, C + 64));
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_ERROR(asnap_raw_read(&image.memory, IMAGE_BASE + 4096, true, NULL, &raw),
                       ASNAP_ERROR_NO_HOOKS);
    image_deinit(&image);
}
