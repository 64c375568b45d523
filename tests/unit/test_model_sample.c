/* Samples as snapshots: what is made of one keeps its period and its weights. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocsnap.h"
#include "dump_format.h"
#include "dump_repair.h"
#include "test_model_dump.h"

enum { PERIOD = 1000, BLOCKS = 6 };

static const uint64_t sizes[BLOCKS] = {100, 100, 1000, 5000, 0, 300};
static const uint32_t threads_of[BLOCKS] = {1, 2, 1, 3, 3, 0};
static const uint32_t domains[BLOCKS] = {0, 7, 0, 0, 0, 0};

static double chance(uint64_t size)
{
    return 1 - exp(-(double)(size == 0 ? 1 : size) / (double)PERIOD);
}

static struct asnap_builder *new_builder(void)
{
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_sample_period(builder, PERIOD));
    return builder;
}

static uint32_t add_stack(struct asnap_builder *builder, const uint32_t *lines, size_t count)
{
    uint32_t frames[4];
    uint32_t traceback = 0;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_frame frame = {.filename = "a.c", .lineno = lines[i]};
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frames[i]));
    }
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, count, 0, &traceback));
    return traceback;
}

/* Blocks 0 to 2 are of line 1 and those after them of line 2, which calls itself twice. Threads 1
 * and 2 have one number. */
static struct asnap_snapshot *make(void)
{
    static const uint32_t numbers[] = {0, 4711, 4711, 4712};
    static const uint32_t first[] = {1, 9};
    static const uint32_t second[] = {2, 2, 2, 9};
    struct asnap_builder *builder = new_builder();
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, numbers, 4));
    const uint32_t stacks[] = {add_stack(builder, first, 2), add_stack(builder, second, 4)};
    for (uint32_t i = 0; i < BLOCKS; i++) {
        const struct asnap_trace trace = {.address = 0x1000 * (i + UINT64_C(1)),
                                          .size = sizes[i],
                                          .traceback_id = stacks[i >= 3],
                                          .domain = domains[i],
                                          .thread = threads_of[i]};
        ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    }
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

/* Whether this is what the blocks in `mask` stand for, each counted `times`. */
static void expect(struct asnap_estimate estimate, unsigned mask, double times)
{
    double size = 0;
    double count = 0;
    double size_variance = 0;
    double count_variance = 0;
    uint64_t sampled = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        double p = chance(sizes[i]);
        double bytes = (double)sizes[i];
        size += bytes / p;
        count += 1 / p;
        size_variance += bytes * bytes * (1 - p) / (p * p);
        count_variance += (1 - p) / (p * p);
        sampled++;
    }
    CU_ASSERT(fabs((double)estimate.size - times * size) <= 2 * times);
    CU_ASSERT(fabs(estimate.count - times * count) <= 0.001);
    CU_ASSERT(fabs(estimate.size_error - times * sqrt(size_variance)) <= 0.001);
    CU_ASSERT(fabs(estimate.count_error - times * sqrt(count_variance)) <= 0.001);
    CU_ASSERT_EQUAL(estimate.sampled_count, (uint64_t)times * sampled);
}

static struct asnap_statistics *statistics_of(const struct asnap_snapshot *snapshot,
                                              enum asnap_key key, bool cumulative)
{
    struct asnap_statistics *statistics = NULL;
    ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, key, cumulative, &statistics));
    CU_ASSERT_EQUAL(asnap_statistics_sample_period(statistics), PERIOD);
    return statistics;
}

enum { ALL = 0x3f, LINE_1 = 0x07, LINE_2 = 0x38 };

/* The rows, as masks of blocks, in their order. */
static void expect_rows(const struct asnap_snapshot *snapshot, enum asnap_key key,
                        const unsigned *masks, size_t count)
{
    struct asnap_statistics *statistics = statistics_of(snapshot, key, false);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), count);
    for (size_t i = 0; i < count; i++) {
        struct asnap_estimate estimate = asnap_statistics_estimate(statistics, i);
        struct asnap_statistic row = asnap_statistics_row(statistics, i);
        expect(estimate, masks[i], 1);
        CU_ASSERT_EQUAL(row.size, estimate.size);
        CU_ASSERT_EQUAL(row.count, (uint64_t)llround(estimate.count));
    }
    expect(asnap_statistics_total_estimate(statistics), ALL, 1);
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(model_sample, rows_of_every_key_stand_for_more_than_their_blocks)
{
    struct asnap_snapshot *snapshot = make();
    const unsigned by_line[] = {LINE_2, LINE_1};
    const unsigned by_thread[] = {0x18, LINE_1, 0x20};
    const unsigned by_size[] = {0x08, 0x03, 0x04, 0x20, 0x10};
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), BLOCKS);
    CU_ASSERT_EQUAL(asnap_snapshot_size(snapshot), 6500);
    CU_ASSERT_EQUAL(asnap_snapshot_sample_period(snapshot), PERIOD);
    expect(asnap_snapshot_estimate(snapshot), ALL, 1);
    expect_rows(snapshot, ASNAP_KEY_LINENO, by_line, 2);
    expect_rows(snapshot, ASNAP_KEY_TRACEBACK, by_line, 2);
    expect_rows(snapshot, ASNAP_KEY_THREAD, by_thread, 3);
    expect_rows(snapshot, ASNAP_KEY_SIZE, by_size, 5);
    asnap_snapshot_destroy(snapshot);
}

/* What counts three times errs three times as much. */
ASNAP_TEST(model_sample, cumulative_rows_err_as_often_as_they_count)
{
    struct asnap_snapshot *snapshot = make();
    struct asnap_statistics *statistics = statistics_of(snapshot, ASNAP_KEY_LINENO, true);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 3);
    for (size_t i = 0; i < 3; i++) {
        uint32_t line = asnap_statistics_frame(statistics, i, 0).lineno;
        struct asnap_estimate estimate = asnap_statistics_estimate(statistics, i);
        expect(estimate, line == 1 ? LINE_1 : line == 2 ? LINE_2 : ALL, line == 2 ? 3 : 1);
    }
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_snapshot *only_line_1(const struct asnap_snapshot *snapshot)
{
    const struct asnap_filter filter = {.inclusive = true, .has_lineno = true, .lineno = 1};
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    return filtered;
}

static struct asnap_snapshot *dumped(const struct asnap_snapshot *snapshot)
{
    const char *path = dump_path("sample");
    struct asnap_snapshot *loaded = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    ASNAP_ASSERT_OK(asnap_snapshot_load(path, &loaded));
    return loaded;
}

ASNAP_TEST(model_sample, what_is_made_of_it_is_a_sample)
{
    struct asnap_snapshot *snapshot = make();
    struct asnap_snapshot *filtered = only_line_1(snapshot);
    struct asnap_snapshot *loaded = dumped(snapshot);
    struct asnap_snapshot *part = dumped(filtered);
    expect(asnap_snapshot_estimate(filtered), LINE_1, 1);
    expect(asnap_snapshot_estimate(loaded), ALL, 1);
    expect(asnap_snapshot_estimate(part), LINE_1, 1);
    CU_ASSERT_EQUAL(asnap_snapshot_sample_period(part), PERIOD);
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(asnap_diff_create(loaded, filtered, ASNAP_KEY_LINENO, false, &diff));
    CU_ASSERT_EQUAL_FATAL(asnap_diff_count(diff), 2);
    uint64_t periods[2];
    struct asnap_estimate estimates[2];
    asnap_diff_sample_periods(diff, periods);
    CU_ASSERT(periods[0] == PERIOD && periods[1] == PERIOD);
    asnap_diff_estimates(diff, 0, estimates);
    expect(estimates[0], LINE_2, 1);
    expect(estimates[1], 0, 1);
    asnap_diff_estimates(diff, 1, estimates);
    expect(estimates[0], LINE_1, 1);
    expect(estimates[1], LINE_1, 1);
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 1).size_diff, 0);
    asnap_diff_total_estimates(diff, estimates);
    expect(estimates[0], ALL, 1);
    expect(estimates[1], LINE_1, 1);
    asnap_diff_destroy(diff);
    asnap_snapshot_destroy(part);
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(filtered);
    asnap_snapshot_destroy(snapshot);
}

static enum asnap_error_code finish(uint64_t period, uint64_t size, size_t count)
{
    struct asnap_builder *builder = new_builder();
    struct asnap_snapshot *snapshot = NULL;
    const uint32_t line = 1;
    uint32_t stack = add_stack(builder, &line, 1);
    ASNAP_ASSERT_OK(asnap_builder_sample_period(builder, period));
    struct asnap_trace *traces = calloc(count, sizeof(*traces));
    for (size_t i = 0; i < count; i++)
        traces[i] = (struct asnap_trace){.address = i + 1, .size = size, .traceback_id = stack};
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, traces, count));
    free(traces);
    struct asnap_error *error = asnap_builder_finish(builder, 1, &snapshot);
    enum asnap_error_code code = error == NULL ? 0 : asnap_error_code(error);
    asnap_error_destroy(error);
    asnap_snapshot_destroy(snapshot);
    asnap_builder_destroy(builder);
    return code;
}

ASNAP_TEST(model_sample, sums_that_are_too_large_are_refused)
{
    struct asnap_builder *builder = new_builder();
    ASNAP_ASSERT_ERROR(asnap_builder_sample_period(builder, ASNAP_SAMPLE_PERIOD_MAX + 1),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_builder_destroy(builder);
    CU_ASSERT_EQUAL(finish(ASNAP_SAMPLE_PERIOD_MAX, 0, 127), 0);
    CU_ASSERT_EQUAL(finish(ASNAP_SAMPLE_PERIOD_MAX, 0, 128), ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(finish(1, INT64_MAX / 2, 2), 0);
    CU_ASSERT_EQUAL(finish(ASNAP_SAMPLE_PERIOD_MAX, INT64_MAX / 2, 2), 0);
    CU_ASSERT_EQUAL(finish(UINT64_C(1) << 40, UINT64_C(1) << 40, 8), 0);
}

/* ---- failures ---- */

static struct asnap_error *group(const struct asnap_snapshot *snapshot, enum asnap_key key,
                                 bool cumulative)
{
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, key, cumulative, &statistics);
    asnap_statistics_destroy(statistics);
    return error;
}

static struct asnap_error *use(void *context)
{
    const struct asnap_snapshot *snapshot = context;
    const struct asnap_filter filter = {.inclusive = true, .has_lineno = true, .lineno = 1};
    struct asnap_snapshot *filtered = NULL;
    struct asnap_diff *diff = NULL;
    struct asnap_error *error = asnap_snapshot_filter(snapshot, &filter, 1, &filtered);
    if (error == NULL)
        error = asnap_diff_create(snapshot, filtered, ASNAP_KEY_TRACEBACK, false, &diff);
    if (error == NULL)
        error = group(snapshot, ASNAP_KEY_LINENO, true);
    if (error == NULL)
        error = group(snapshot, ASNAP_KEY_THREAD, false);
    asnap_diff_destroy(diff);
    asnap_snapshot_destroy(filtered);
    return error;
}

static struct asnap_error *load(void *context)
{
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = asnap_snapshot_load(context, &snapshot);
    asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(model_sample, survives_every_failing_allocation)
{
    struct asnap_snapshot *snapshot = make();
    char path[256];
    snprintf(path, sizeof(path), "%s", dump_path("swept"));
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    CU_ASSERT(asnap_unit_sweep(use, snapshot) > 20);
    CU_ASSERT(asnap_unit_sweep(load, path) > 10);
    asnap_snapshot_destroy(snapshot);
}

/* The period in the bytes of a dump. */
static uint64_t *period_in(unsigned char *bytes)
{
    const struct asnap_dump_header *header = (const void *)bytes;
    const struct asnap_dump_section *sections = (const void *)(header + 1);
    for (uint32_t i = 0; i < header->section_count; i++)
        if (sections[i].kind == ASNAP_DUMP_SAMPLE_PERIOD)
            return (uint64_t *)(void *)(bytes + sections[i].offset);
    return NULL;
}

ASNAP_TEST(model_sample, a_dump_with_a_period_that_cannot_be_is_damaged)
{
    static const uint64_t bad[] = {0, ASNAP_SAMPLE_PERIOD_MAX + 1, UINT64_MAX};
    struct asnap_snapshot *snapshot = make();
    char path[256];
    size_t size = 0;
    snprintf(path, sizeof(path), "%s", dump_path("damaged"));
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    asnap_snapshot_destroy(snapshot);
    unsigned char *bytes = dump_bytes(path, &size);
    uint64_t *period = period_in(bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(period);
    CU_ASSERT_EQUAL(*period, PERIOD);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *period = bad[i];
        dump_repair(bytes, size);
        dump_write(path, bytes, size);
        ASNAP_ASSERT_ERROR(load(path), ASNAP_ERROR_DAMAGED);
    }
    free(bytes);
}
