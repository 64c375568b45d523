/* Finding a table, and what it says of itself. */
#include <string.h>

#include "test_collect.h"

ASNAP_TEST(collect_status, heeds_what_was_asked_of_the_hooks)
{
    struct image image;
    struct asnap_status status;
    collect_fill(&image);
    struct asnap_table_root *root = image_root(&image);
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->applied.tracing, 0), ASNAP_ERROR_NOT_TRACING);
    root->control.sequence++;
    CU_ASSERT_EQUAL(CODE_WITH(&image, root->control.tracing, 0), ASNAP_ERROR_NOT_TRACING);
    root->control.clear++;
    struct asnap_raw *raw = collect_read(&image);
    CU_ASSERT_EQUAL(raw->trace_count, 0);
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT(status.tracing && status.request_pending);
    CU_ASSERT_EQUAL(status.traced_count, 0);
    CU_ASSERT_EQUAL(status.peak_size, 0);
    image_deinit(&image);
}

ASNAP_TEST(collect_status, tells_the_status)
{
    struct image image;
    struct asnap_status status;
    collect_fill(&image);
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

ASNAP_TEST(collect_status, finds_the_root_by_symbol_and_by_magic)
{
    struct image image;
    uint64_t found = 0;
    const uint32_t flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    struct asnap_region regions[] = {
        {.start = 0x1000, .end = 0x3000, .flags = flags}, /* not there */
        {.start = IMAGE_BASE - 0x800, .end = IMAGE_BASE + IMAGE_BYTES, .flags = flags},
    };
    collect_fill(&image);
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
ASNAP_TEST(collect_status, finds_the_root_of_the_hooks_at_work)
{
    struct image image;
    uint64_t found = 0;
    collect_fill(&image);
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
