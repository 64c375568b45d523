/* Requests: what is written into the root, and what is said of it until it is obeyed. */
#include <string.h>

#include "table_image.h"

enum { A = 0x55550000 };

static void fill(struct image *image)
{
    image_init(image);
    uint32_t origin = image_node(image, ASNAP_TABLE_NONE, 0);
    image_record(image, A, 0, 100, image_node(image, origin, 0x401000));
    image_root(image)->peak_bytes = 500;
}

/* Writes into the image what is to be written for a request. */
static void ask(struct image *image, enum asnap_request request, uint32_t frame_limit)
{
    struct asnap_write writes[ASNAP_REQUEST_WRITES];
    const struct asnap_start start = {.frame_limit = frame_limit};
    ASNAP_ASSERT_OK(asnap_request_prepare(&image->memory, IMAGE_BASE, request, &start, writes));
    for (size_t i = 0; i < ASNAP_REQUEST_WRITES; i++)
        memcpy(image_at(image, writes[i].address), writes[i].bytes, writes[i].size);
}

static struct asnap_status status_of(struct image *image)
{
    struct asnap_status status = {0};
    ASNAP_ASSERT_OK(asnap_status_read(&image->memory, IMAGE_BASE, &status));
    return status;
}

/* What the hooks do at their next call (core/hooks/entry/control.c), the records aside. */
static void obey(struct image *image)
{
    image_root(image)->applied = image_root(image)->control;
}

ASNAP_TEST(request, writes_the_fields_before_the_sequence)
{
    struct image image;
    struct asnap_write writes[ASNAP_REQUEST_WRITES];
    fill(&image);
    const struct asnap_table_root *root = image_root(&image);
    ASNAP_ASSERT_OK(
        asnap_request_prepare(&image.memory, IMAGE_BASE, ASNAP_REQUEST_STOP, NULL, writes));
    uint64_t control = IMAGE_BASE + offsetof(struct asnap_table_root, control);
    CU_ASSERT_EQUAL(writes[0].address, control + offsetof(struct asnap_table_control, tracing));
    CU_ASSERT_EQUAL(writes[0].size, sizeof(struct asnap_table_control) - sizeof(uint32_t));
    CU_ASSERT_EQUAL(writes[1].address, control);
    CU_ASSERT_EQUAL(writes[1].size, sizeof(uint32_t));
    memcpy(image_at(&image, writes[0].address), writes[0].bytes, writes[0].size);
    CU_ASSERT_FALSE(status_of(&image).request_pending);
    CU_ASSERT_TRUE(status_of(&image).tracing);
    /* A request that was never finished has no part in the next one. */
    ask(&image, ASNAP_REQUEST_CLEAR, 0);
    CU_ASSERT_TRUE(status_of(&image).tracing);
    CU_ASSERT_EQUAL(root->control.tracing, 1);
    image_deinit(&image);
}

ASNAP_TEST(request, stop)
{
    struct image image;
    fill(&image);
    image_root(&image)->control.reset_peak = image_root(&image)->applied.reset_peak = 7;
    ask(&image, ASNAP_REQUEST_STOP, 0);
    const struct asnap_table_control wanted = {
        .sequence = 2, .tracing = 0, .frame_limit = 16, .clear = 0, .reset_peak = 7};
    CU_ASSERT_EQUAL(memcmp(&image_root(&image)->control, &wanted, sizeof(wanted)), 0);
    struct asnap_status status = status_of(&image);
    CU_ASSERT(!status.tracing && status.request_pending);
    CU_ASSERT_EQUAL(status.requests, ASNAP_REQUEST_STOP);
    CU_ASSERT_EQUAL(status.traced_size + status.traced_count + status.peak_size, 0);
    obey(&image);
    status = status_of(&image);
    CU_ASSERT(!status.tracing && !status.request_pending);
    CU_ASSERT_EQUAL(status.requests, 0);
    image_deinit(&image);
}

ASNAP_TEST(request, start_again)
{
    struct image image;
    struct asnap_raw *raw = NULL;
    fill(&image);
    ask(&image, ASNAP_REQUEST_START, 40);
    const struct asnap_table_control wanted = {
        .sequence = 2, .tracing = 1, .frame_limit = 40, .clear = 1};
    CU_ASSERT_EQUAL(memcmp(&image_root(&image)->control, &wanted, sizeof(wanted)), 0);
    struct asnap_status status = status_of(&image);
    CU_ASSERT(status.tracing && status.request_pending);
    CU_ASSERT_EQUAL(status.requests, ASNAP_REQUEST_START);
    CU_ASSERT_EQUAL(status.frame_limit, 40);
    CU_ASSERT_EQUAL(status.traced_size + status.traced_count + status.peak_size, 0);
    ASNAP_ASSERT_OK(asnap_raw_read(&image.memory, IMAGE_BASE, false, NULL, &raw));
    CU_ASSERT_EQUAL(asnap_raw_trace_count(raw), 0);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(request, start_keeps_the_frame_limit)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    root->control.tracing = root->applied.tracing = 0;
    root->control.frame_limit = root->applied.frame_limit = 5;
    CU_ASSERT_EQUAL(status_of(&image).requests, 0);
    ask(&image, ASNAP_REQUEST_START, 0);
    CU_ASSERT_EQUAL(root->control.tracing, 1);
    CU_ASSERT_EQUAL(root->control.frame_limit, 5);
    CU_ASSERT_EQUAL(status_of(&image).requests, ASNAP_REQUEST_START);
    image_deinit(&image);
}

ASNAP_TEST(request, clear_and_reset_peak)
{
    struct image image;
    fill(&image);
    ask(&image, ASNAP_REQUEST_RESET_PEAK, 0);
    struct asnap_status status = status_of(&image);
    CU_ASSERT_EQUAL(status.requests, ASNAP_REQUEST_RESET_PEAK);
    CU_ASSERT_EQUAL(status.traced_size, 100);
    CU_ASSERT_EQUAL(status.peak_size, 100);
    ask(&image, ASNAP_REQUEST_CLEAR, 0);
    status = status_of(&image);
    CU_ASSERT_EQUAL(status.requests, ASNAP_REQUEST_CLEAR | ASNAP_REQUEST_RESET_PEAK);
    CU_ASSERT_EQUAL(status.traced_size + status.traced_count + status.peak_size, 0);
    const struct asnap_table_control wanted = {
        .sequence = 3, .tracing = 1, .frame_limit = 16, .clear = 1, .reset_peak = 1};
    CU_ASSERT_EQUAL(memcmp(&image_root(&image)->control, &wanted, sizeof(wanted)), 0);
    obey(&image);
    CU_ASSERT_EQUAL(status_of(&image).requests, 0);
    image_deinit(&image);
}

ASNAP_TEST(request, later_ones_add_to_those_that_wait)
{
    struct image image;
    fill(&image);
    ask(&image, ASNAP_REQUEST_START, 40);
    ask(&image, ASNAP_REQUEST_RESET_PEAK, 0);
    struct asnap_status status = status_of(&image);
    CU_ASSERT_EQUAL(status.requests, ASNAP_REQUEST_START | ASNAP_REQUEST_RESET_PEAK);
    CU_ASSERT_EQUAL(status.frame_limit, 40);
    ask(&image, ASNAP_REQUEST_STOP, 0);
    CU_ASSERT_EQUAL(status_of(&image).requests, ASNAP_REQUEST_STOP);
    CU_ASSERT_EQUAL(image_root(&image)->control.frame_limit, 40);
    /* Stopped and started before the hooks saw either: the traces go nevertheless. */
    ask(&image, ASNAP_REQUEST_START, 16);
    status = status_of(&image);
    CU_ASSERT(status.tracing);
    CU_ASSERT_EQUAL(status.traced_count, 0);
    CU_ASSERT_NOT_EQUAL(image_root(&image)->control.clear, image_root(&image)->applied.clear);
    CU_ASSERT_EQUAL(image_root(&image)->control.sequence, 5);
    image_deinit(&image);
}

ASNAP_TEST(request, counters_wrap)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    root->control.sequence = UINT32_MAX;
    root->applied.sequence = 0;
    root->control.clear = UINT32_MAX;
    root->applied.clear = 0;
    ask(&image, ASNAP_REQUEST_CLEAR, 0);
    CU_ASSERT_EQUAL(root->control.sequence, 1);
    CU_ASSERT_EQUAL(root->control.clear, 1);
    image_deinit(&image);
}

ASNAP_TEST(request, replaces_control_words_that_cannot_be)
{
    struct image image;
    fill(&image);
    struct asnap_table_root *root = image_root(&image);
    root->control.sequence = 9;
    root->control.tracing = 0xffff;
    root->control.frame_limit = 0;
    ask(&image, ASNAP_REQUEST_CLEAR, 0);
    CU_ASSERT_EQUAL(root->control.sequence, 10);
    CU_ASSERT_EQUAL(root->control.tracing, 1);
    CU_ASSERT_EQUAL(root->control.frame_limit, 16);
    image_deinit(&image);
}

ASNAP_TEST(request, refuses)
{
    struct image image;
    struct asnap_write writes[ASNAP_REQUEST_WRITES];
    const struct asnap_write untouched[ASNAP_REQUEST_WRITES] = {{.address = 1}, {.address = 2}};
    const struct asnap_start too_many = {.frame_limit = ASNAP_TABLE_FRAME_LIMIT_MAX + 1};
    const struct asnap_start too_rare = {.sets_period = true,
                                         .sample_period = ASNAP_SAMPLE_PERIOD_MAX + 1};
    memcpy(writes, untouched, sizeof(writes));
    fill(&image);
    const struct asnap_memory *memory = &image.memory;
    ASNAP_ASSERT_ERROR(
        asnap_request_prepare(memory, IMAGE_BASE, ASNAP_REQUEST_START, &too_many, writes),
        ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(
        asnap_request_prepare(memory, IMAGE_BASE, ASNAP_REQUEST_START, &too_rare, writes),
        ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(
        asnap_request_prepare(memory, IMAGE_BASE, (enum asnap_request)3, NULL, writes),
        ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_request_prepare(NULL, IMAGE_BASE, ASNAP_REQUEST_STOP, NULL, writes),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_request_prepare(memory, IMAGE_BASE, ASNAP_REQUEST_STOP, NULL, NULL),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(
        asnap_request_prepare(memory, IMAGE_BASE + 4096, ASNAP_REQUEST_STOP, NULL, writes),
        ASNAP_ERROR_NO_HOOKS);
    image_root(&image)->version++;
    ASNAP_ASSERT_ERROR(asnap_request_prepare(memory, IMAGE_BASE, ASNAP_REQUEST_STOP, NULL, writes),
                       ASNAP_ERROR_VERSION);
    image.hole_start = IMAGE_BASE;
    image.hole_end = IMAGE_BASE + 1;
    ASNAP_ASSERT_ERROR(asnap_request_prepare(memory, IMAGE_BASE, ASNAP_REQUEST_STOP, NULL, writes),
                       ASNAP_ERROR_UNREADABLE);
    CU_ASSERT_EQUAL(memcmp(writes, untouched, sizeof(writes)), 0);
    image_deinit(&image);
}

static void ask_for_sample(struct image *image, uint64_t period)
{
    struct asnap_write writes[ASNAP_REQUEST_WRITES];
    const struct asnap_start start = {.sets_period = true, .sample_period = period};
    ASNAP_ASSERT_OK(
        asnap_request_prepare(&image->memory, IMAGE_BASE, ASNAP_REQUEST_START, &start, writes));
    for (size_t i = 0; i < ASNAP_REQUEST_WRITES; i++)
        memcpy(image_at(image, writes[i].address), writes[i].bytes, writes[i].size);
}

ASNAP_TEST(request, starts_a_sample_and_keeps_its_period)
{
    struct image image;
    fill(&image);
    ask_for_sample(&image, 4096);
    CU_ASSERT_EQUAL(status_of(&image).sample_period, 4096);
    CU_ASSERT_EQUAL(status_of(&image).requests, ASNAP_REQUEST_START);
    CU_ASSERT_EQUAL(status_of(&image).traced_count, 0);
    obey(&image);
    image_root(&image)->applied.tracing = 2;
    image_root(&image)->estimated_size = 4146;
    image_root(&image)->estimated_count = (UINT64_C(41) << 16) + (1 << 15);
    image_root(&image)->peak_bytes = 5000;
    struct asnap_status status = status_of(&image);
    CU_ASSERT_EQUAL(status.requests, 0);
    CU_ASSERT_TRUE(status.tracing);
    CU_ASSERT_FALSE(status.is_whole);
    CU_ASSERT_EQUAL(status.sample_period, 4096);
    CU_ASSERT_EQUAL(status.sampled_count, 1);
    CU_ASSERT_EQUAL(status.traced_count, 42);
    CU_ASSERT_EQUAL(status.traced_size, 4146);
    CU_ASSERT_EQUAL(status.peak_size, 5000);
    /* As before where it says nothing of it, and every block where it says so. */
    ask(&image, ASNAP_REQUEST_START, 3);
    CU_ASSERT_EQUAL(image_root(&image)->control.sample_period, 4096);
    CU_ASSERT_EQUAL(status_of(&image).frame_limit, 3);
    ask_for_sample(&image, 0);
    CU_ASSERT_EQUAL(status_of(&image).sample_period, 0);
    CU_ASSERT_EQUAL(status_of(&image).sampled_count, 0);
    image_deinit(&image);
}

ASNAP_TEST(request, asks_no_sample_of_hooks_that_know_none)
{
    struct image image;
    struct asnap_write writes[ASNAP_REQUEST_WRITES];
    const struct asnap_start sample = {.sets_period = true, .sample_period = 4096};
    const struct asnap_start all = {.sets_period = true};
    fill(&image);
    image_be_version_4(&image);
    ASNAP_ASSERT_ERROR(
        asnap_request_prepare(&image.memory, IMAGE_BASE, ASNAP_REQUEST_START, &sample, writes),
        ASNAP_ERROR_VERSION);
    ASNAP_ASSERT_OK(
        asnap_request_prepare(&image.memory, IMAGE_BASE, ASNAP_REQUEST_START, &all, writes));
    CU_ASSERT_EQUAL(writes[0].size, 4 * sizeof(uint32_t));
    CU_ASSERT_EQUAL(status_of(&image).sample_period, 0);
    CU_ASSERT_EQUAL(status_of(&image).traced_count, 1);
    image_deinit(&image);
}
