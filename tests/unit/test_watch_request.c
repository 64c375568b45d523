/* What the hooks watch for and have reached, as a debugger reads it and asks for it. */
#include <string.h>

#include "table_image.h"

static struct asnap_table_watch *watch_of(struct image *image)
{
    return image_at(image, IMAGE_BASE + ASNAP_TABLE_WATCH_OFFSET);
}

static void fill(struct image *image)
{
    image_init(image);
    struct asnap_table_watch *watch = watch_of(image);
    memcpy(watch->magic, ASNAP_TABLE_WATCH_MAGIC, sizeof(watch->magic));
    watch->bytes = sizeof(*watch);
    watch->number = watch->obeyed = 4;
    watch->armed[ASNAP_TABLE_WATCH_BLOCK] = 64;
    watch->action = ASNAP_TABLE_WATCH_ABORT;
    watch->reached[ASNAP_TABLE_WATCH_SIZE] = (struct asnap_table_reached){
        .times = 1, .limit = 2, .size = 3, .count = 4, .request = 5, .thread = 6};
}

static struct asnap_watch read_watch(struct image *image)
{
    struct asnap_watch watch = {0};
    ASNAP_ASSERT_OK(asnap_watch_read(&image->memory, IMAGE_BASE, &watch));
    return watch;
}

ASNAP_TEST(watch_request, reads_what_is_there)
{
    struct image image;
    fill(&image);
    struct asnap_watch watch = read_watch(&image);
    CU_ASSERT_EQUAL(watch.limits.size + watch.limits.count + watch.limits.failed, 0);
    CU_ASSERT_EQUAL(watch.limits.block, 64);
    CU_ASSERT_EQUAL(watch.action, ASNAP_TABLE_WATCH_ABORT);
    CU_ASSERT(!watch.is_pending && !watch.of_sample);
    const struct asnap_reached wanted = {1, 2, 3, 4, 5, 6};
    const struct asnap_reached *reached = &watch.reached[ASNAP_WATCH_SIZE];
    CU_ASSERT(reached->times == wanted.times && reached->limit == wanted.limit);
    CU_ASSERT(reached->size == wanted.size && reached->count == wanted.count);
    CU_ASSERT(reached->request == wanted.request && reached->thread == wanted.thread);
    CU_ASSERT_EQUAL(watch.reached[ASNAP_WATCH_FAILED].times, 0);
    image_root(&image)->applied.sample_period = 512;
    CU_ASSERT(read_watch(&image).of_sample);
    image_deinit(&image);
}

ASNAP_TEST(watch_request, is_pending_until_it_is_obeyed)
{
    struct image image;
    struct asnap_write writes[ASNAP_WATCH_WRITES];
    const struct asnap_watch_limits limits = {.size = 1000, .count = 7, .failed = true};
    fill(&image);
    struct asnap_table_watch *table = watch_of(&image);
    ASNAP_ASSERT_OK(asnap_watch_prepare(&image.memory, IMAGE_BASE, &limits, writes));
    for (size_t i = 0; i < ASNAP_WATCH_WRITES; i++) {
        CU_ASSERT_FALSE(read_watch(&image).is_pending);
        memcpy(image_at(&image, writes[i].address), writes[i].bytes, writes[i].size);
    }
    CU_ASSERT_EQUAL(image_root(&image)->control.sequence, 2);
    CU_ASSERT_EQUAL(image_root(&image)->control.tracing, 1);
    struct asnap_watch watch = read_watch(&image);
    CU_ASSERT(watch.is_pending && watch.limits.failed);
    CU_ASSERT_EQUAL(watch.limits.size, 1000);
    CU_ASSERT_EQUAL(watch.limits.count, 7);
    CU_ASSERT_EQUAL(watch.limits.block, 0);
    CU_ASSERT_EQUAL(watch.action, ASNAP_TABLE_WATCH_CALL);
    CU_ASSERT_EQUAL(table->number, 5);
    CU_ASSERT_EQUAL(table->armed[ASNAP_TABLE_WATCH_BLOCK], 64);
    image_deinit(&image);
}

static void expect_version(struct image *image)
{
    struct asnap_watch watch;
    struct asnap_write writes[ASNAP_WATCH_WRITES];
    const struct asnap_watch_limits limits = {.size = 1};
    ASNAP_ASSERT_ERROR(asnap_watch_read(&image->memory, IMAGE_BASE, &watch), ASNAP_ERROR_VERSION);
    ASNAP_ASSERT_ERROR(asnap_watch_prepare(&image->memory, IMAGE_BASE, &limits, writes),
                       ASNAP_ERROR_VERSION);
}

ASNAP_TEST(watch_request, of_hooks_that_do_not_watch)
{
    struct image image;
    fill(&image);
    watch_of(&image)->magic[3]++;
    expect_version(&image);
    watch_of(&image)->magic[3]--;
    watch_of(&image)->bytes++;
    expect_version(&image);
    watch_of(&image)->bytes--;
    image.hole_start = IMAGE_BASE + ASNAP_TABLE_WATCH_OFFSET + 100;
    image.hole_end = image.hole_start + 1;
    expect_version(&image);
    image.hole_start = image.hole_end = 0;
    image.interrupt_after = 1;
    struct asnap_watch watch;
    ASNAP_ASSERT_ERROR(asnap_watch_read(&image.memory, IMAGE_BASE, &watch),
                       ASNAP_ERROR_INTERRUPTED);
    image.interrupt_after = -1;
    image_root(&image)->magic[0]++;
    ASNAP_ASSERT_ERROR(asnap_watch_read(&image.memory, IMAGE_BASE, &watch), ASNAP_ERROR_NO_HOOKS);
    ASNAP_ASSERT_ERROR(asnap_watch_read(NULL, IMAGE_BASE, &watch), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_watch_prepare(&image.memory, IMAGE_BASE, NULL, NULL),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    image_deinit(&image);
}
