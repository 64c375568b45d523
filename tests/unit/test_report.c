/* The data of reports, read back and compared with what it was made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "report_page.h"
#include "test_model_dump.h"
#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define SECOND ASNAP_TIMES_PER_SECOND

static const struct asnap_mapping mappings[] = {
    {0x1000, 0x2000, 0, "/bin/prog", "aa"},
    {0x3000, 0x4000, 0, "/lib/lib.so", "bb"},
};
static const uint32_t threads[] = {0, 4711, 4712, 4711};

/* The functions f and g of a library, called by main. */
static const struct {
    struct asnap_frame frame;
    uint32_t mapping;
} frames[] = {
    {{"/s/m.c", "main", 9, false, 0}, 0},
    {{"/s/f.c", "f", 4, false, 0}, 1},
    {{"/s/f.c", "g", 5, true, 0}, 1},
    {{"<unknown>", NULL, 0, false, 0}, ASNAP_NO_MAPPING},
};
static const uint32_t stacks[][3] = {{1, 0}, {2, 1, 0}, {3}};
static const size_t depths[] = {2, 3, 1};
static const uint32_t totals[] = {2, 7, ASNAP_TOTAL_UNKNOWN};

static const struct asnap_trace traces[] = {
    {0x10000, 64, 0, 0, 1, 0},
    {0x10100, 100, 0, 0, 3, SECOND / 100},
    {0x10200, 300, 1, 7, 2, 5 * SECOND},
    {0x10300, 0, 1, 7, 2, 100 * SECOND},
    {0x10400, (uint64_t)5 << 32, 2, 0, 0, ASNAP_TIME_UNKNOWN},
    {0x10500, 65, 0, 0, 1, 0},
};

static struct asnap_error *add_all(struct asnap_builder *builder, size_t count)
{
    struct asnap_error *error = NULL;
    uint32_t ids[COUNT(frames)];
    uint32_t id;
    for (size_t i = 0; error == NULL && i < COUNT(mappings); i++)
        error = asnap_builder_mapping(builder, &mappings[i]);
    for (size_t i = 0; error == NULL && i < COUNT(frames); i++)
        error = asnap_builder_frame(builder, &frames[i].frame, 0, frames[i].mapping, &ids[i]);
    for (size_t i = 0; error == NULL && i < COUNT(stacks); i++) {
        uint32_t here[3];
        for (size_t j = 0; j < depths[i]; j++)
            here[j] = ids[stacks[i][j]];
        error = asnap_builder_traceback(builder, here, depths[i], totals[i], &id);
    }
    if (error == NULL)
        error = asnap_builder_threads(builder, threads, COUNT(threads));
    if (error == NULL)
        error = asnap_builder_start_time(builder, UINT64_C(1700000000000000000));
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 7, "pool");
    if (error == NULL)
        error = asnap_builder_note(builder, "2 blocks were dropped");
    return error != NULL ? error : asnap_builder_traces(builder, traces, count);
}

/* A snapshot of the first `count` blocks. */
static struct asnap_snapshot *made_snapshot(size_t count)
{
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(add_all(builder, count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

static struct asnap_error *export_report(const struct asnap_snapshot *snapshot,
                                         const struct asnap_snapshot *old,
                                         const struct asnap_report_options *options,
                                         const char *path)
{
    struct asnap_export_options all = {.old_snapshot = old, .report = options};
    return asnap_export(snapshot, ASNAP_EXPORT_REPORT, &all, path);
}

static void write_page(const struct asnap_snapshot *snapshot, const struct asnap_snapshot *old,
                       struct asnap_report_options options, struct report_page *page)
{
    options.page = report_page_path();
    const char *path = dump_path("report.html");
    ASNAP_ASSERT_OK(export_report(snapshot, old, &options, path));
    report_page_read(path, page);
}

/* Cell `index` as "SIDE STACK SIZE COUNT STEP POWER THREAD DOMAIN AGE". */
static const char *cell_text(const struct report_page *page, size_t index)
{
    static char text[256];
    uint64_t stack = 0;
    for (size_t i = 0; i <= index; i++)
        stack += report_page_number(page, "cest", i);
    uint64_t group = report_page_number(page, "cegr", index) * 6;
    uint64_t age = report_page_number(page, "grou", group + 5) * 5 + 4;
    snprintf(text, sizeof(text), "%d stack %d: %lld in %d, step %d, power %d, %d, domain %d, %s",
             (int)report_page_number(page, "grou", group), (int)stack,
             (long long)(report_page_number(page, "cesi", index) |
                         report_page_number(page, "cesh", index) << 32),
             (int)report_page_number(page, "ceco", index),
             (int)report_page_number(page, "cebi", index),
             (int)report_page_number(page, "cepo", index),
             (int)report_page_number(page, "grou", group + 1),
             (int)report_page_number(page, "grou", group + 2),
             report_page_string(page, report_page_number(page, "ages", age)));
    return text;
}

static void expect_cells(const struct report_page *page, const char *const *cells, size_t count)
{
    CU_ASSERT_EQUAL_FATAL(report_page_count(page, "cest"), count);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_STRING_EQUAL(cell_text(page, i), cells[i]);
        if (strcmp(cell_text(page, i), cells[i]) != 0)
            fprintf(stderr, "%s\n", cell_text(page, i));
    }
}

ASNAP_TEST(report, blocks_are_added_up)
{
    /* Threads of two places have one number; 64 to 127 bytes are one power. */
    static const char *const cells[] = {
        "0 stack 0: 229 in 3, step 1, power 7, 4711, domain 0, 1 min to < 10 min",
        "0 stack 1: 300 in 1, step 7, power 9, 4712, domain 7, 1 min to < 10 min",
        "0 stack 1: 0 in 1, step 128, power 0, 4712, domain 7, < 1 s",
        "0 stack 2: 21474836480 in 1, step 0, power 35, 0, domain 0, unknown age",
    };
    struct asnap_snapshot *snapshot = made_snapshot(COUNT(traces));
    struct report_page page = {0};
    write_page(snapshot, NULL, (struct asnap_report_options){0}, &page);
    expect_cells(&page, cells, COUNT(cells));
    asnap_snapshot_destroy(snapshot);
    report_page_deinit(&page);
}

ASNAP_TEST(report, a_difference_has_the_blocks_of_both)
{
    static const char *const cells[] = {
        "0 stack 0: 164 in 2, step 1, power 7, 4711, domain 0, < 1 s",
        "1 stack 0: 229 in 3, step 1, power 7, 4711, domain 0, 1 min to < 10 min",
        "1 stack 1: 0 in 1, step 128, power 0, 4712, domain 7, < 1 s",
        "1 stack 1: 300 in 1, step 7, power 9, 4712, domain 7, 1 min to < 10 min",
        "1 stack 2: 21474836480 in 1, step 0, power 35, 0, domain 0, unknown age",
    };
    struct asnap_snapshot *snapshot = made_snapshot(2);
    struct asnap_snapshot *old = made_snapshot(COUNT(traces));
    struct report_page page = {0};
    write_page(snapshot, old, (struct asnap_report_options){0}, &page);
    CU_ASSERT_EQUAL(report_page_count(&page, "cest"), COUNT(cells));
    /* Those of one stack are in the order of what tells them apart. */
    for (size_t i = 0; i < COUNT(cells); i++) {
        bool found = false;
        for (size_t j = 0; j < COUNT(cells); j++)
            found = found || strcmp(cell_text(&page, j), cells[i]) == 0;
        CU_ASSERT(found);
    }
    /* What the older one says is missing is told of it. */
    CU_ASSERT_EQUAL(report_page_count(&page, "note"), 4);
    CU_ASSERT_EQUAL(report_page_number(&page, "note", 0), 0);
    CU_ASSERT_EQUAL(report_page_number(&page, "note", 2), 1);
    CU_ASSERT_STRING_EQUAL(report_page_string(&page, report_page_number(&page, "note", 3)),
                           "2 blocks were dropped");
    asnap_snapshot_destroy(snapshot);
    asnap_snapshot_destroy(old);
    report_page_deinit(&page);
}

/* Frame `index` as "FUNCTION FILE:LINE MODULE FLAGS". */
static const char *frame_text(const struct report_page *page, size_t index)
{
    static char text[1024];
    snprintf(text, sizeof(text), "%s %s:%d %s %d",
             report_page_string(page, report_page_number(page, "frfn", index)),
             report_page_string(page, report_page_number(page, "frfi", index)),
             (int)report_page_number(page, "frli", index),
             report_page_string(page, report_page_number(page, "frmo", index)),
             (int)report_page_number(page, "frfl", index) & 1);
    return text;
}

ASNAP_TEST(report, stacks_are_a_tree)
{
    static const char *const expected[] = {"main /s/m.c:9 /bin/prog 0", "f /s/f.c:4 /lib/lib.so 0",
                                           "g /s/f.c:5 /lib/lib.so 1", " <unknown>:0  0"};
    static const struct {
        uint32_t node;
        uint32_t is_cut;
    } known[] = {{2, 0}, {3, 1}, {4, 1}};
    static const uint32_t parents[] = {0, 0, 1, 2, 0};
    static const uint32_t of_nodes[] = {0, 0, 1, 2, 3};
    struct asnap_snapshot *snapshot = made_snapshot(COUNT(traces));
    struct report_page page = {0};
    write_page(snapshot, NULL, (struct asnap_report_options){0}, &page);
    CU_ASSERT_EQUAL(report_page_count(&page, "frfn"), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        CU_ASSERT_STRING_EQUAL(frame_text(&page, i), expected[i]);
    CU_ASSERT_EQUAL_FATAL(report_page_count(&page, "nopa"), COUNT(parents));
    for (size_t i = 1; i < COUNT(parents); i++) {
        CU_ASSERT_EQUAL(i - report_page_number(&page, "nopa", i), parents[i]);
        CU_ASSERT_EQUAL(report_page_number(&page, "nofr", i), of_nodes[i]);
    }
    for (size_t i = 0; i < COUNT(known); i++) {
        CU_ASSERT_EQUAL(report_page_number(&page, "stno", i), known[i].node);
        CU_ASSERT_EQUAL(report_page_number(&page, "stat", i), 0);
        CU_ASSERT_EQUAL(report_page_number(&page, "stcu", i), known[i].is_cut);
    }
    asnap_snapshot_destroy(snapshot);
    report_page_deinit(&page);
}

/* Blocks belong to the first frame that is not passed over. */
ASNAP_TEST(report, skip_rules_choose_the_frame)
{
    static const char *const patterns[] = {"g"};
    struct asnap_snapshot *snapshot = made_snapshot(COUNT(traces));
    struct asnap_snapshot *attributed = NULL;
    struct report_page page = {0};
    ASNAP_ASSERT_OK(asnap_snapshot_skip(
        snapshot, &(struct asnap_skip_rules){.patterns = patterns, .pattern_count = 1},
        &attributed));
    write_page(attributed, NULL, (struct asnap_report_options){0}, &page);
    CU_ASSERT_EQUAL(report_page_number(&page, "stat", 0), 0);
    CU_ASSERT_EQUAL(report_page_number(&page, "stat", 1), 1);
    asnap_snapshot_destroy(attributed);
    asnap_snapshot_destroy(snapshot);
    report_page_deinit(&page);
}

ASNAP_TEST(report, facts_origins_and_names_of_any_bytes)
{
    static const struct asnap_report_fact facts[] = {
        {"shown", "</script>\xff\n\xe2\x80\xae\"&\\x41", false}, {"origin", "a core", true}};
    static const char *const labels[] = {NULL, "main", NULL, "worker"};
    struct asnap_snapshot *snapshot = made_snapshot(COUNT(traces));
    struct report_page page = {0};
    struct asnap_report_options options = {.facts = facts,
                                           .fact_count = COUNT(facts),
                                           .thread_labels = labels,
                                           .thread_label_count = COUNT(labels)};
    write_page(snapshot, NULL, options, &page);
    static const char *const expected[][2] = {
        {"program", "/bin/prog"},
        {"build", "aa"},
        {"shown", "</script>\\xff\\x0a\\xe2\\x80\\xae\"&\\x41"},
        {"origin", "a core"},
    };
    CU_ASSERT_EQUAL_FATAL(report_page_count(&page, "fact"), 3 * COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        CU_ASSERT_EQUAL(report_page_number(&page, "fact", 3 * i), i == 3);
        for (size_t j = 0; j < 2; j++)
            CU_ASSERT_STRING_EQUAL(
                report_page_string(&page, report_page_number(&page, "fact", 3 * i + 1 + j)),
                expected[i][j]);
    }
    CU_ASSERT_EQUAL(report_page_number(&page, "thre", 0), 4711);
    CU_ASSERT_STRING_EQUAL(report_page_string(&page, report_page_number(&page, "thre", 1)), "main");
    CU_ASSERT_EQUAL(report_page_number(&page, "doma", 0), 7);
    CU_ASSERT_STRING_EQUAL(report_page_string(&page, report_page_number(&page, "doma", 1)), "pool");
    asnap_snapshot_destroy(snapshot);
    report_page_deinit(&page);
}

ASNAP_TEST(report, an_empty_snapshot)
{
    struct asnap_snapshot *snapshot = made_snapshot(0);
    struct report_page page = {0};
    write_page(snapshot, NULL, (struct asnap_report_options){.source_lines = true}, &page);
    CU_ASSERT_EQUAL(report_page_count(&page, "cest"), 0);
    CU_ASSERT_EQUAL(report_page_count(&page, "nopa"), 1);
    CU_ASSERT_EQUAL(report_page_count(&page, "srcs"), 0);
    asnap_snapshot_destroy(snapshot);
    report_page_deinit(&page);
}

/* ---- sources ---- */

/* A snapshot of one block for each of `count` lines of a file. */
static struct asnap_snapshot *lines_snapshot(const char *file, const uint32_t *lines, size_t count)
{
    struct heap_blocks blocks[4] = {0};
    for (size_t i = 0; i < count; i++)
        blocks[i] = (struct heap_blocks){8, 1, 0, 0, {{file, "f", lines[i], false, 0}}};
    return heap_snapshot(blocks, count);
}

ASNAP_TEST(report, source_lines_around_frames)
{
    static const uint32_t lines[] = {1, 9, 10, 4000};
    /* From 1 to 4 and from 6 to 13; the file ends at 12. */
    static const uint32_t expected[] = {1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12};
    char path[] = "/tmp/allocsnap-source-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 1; i <= 12; i++)
        fprintf(file, "line %d\t</script>\x1b;  \r\n", i);
    fclose(file);
    struct asnap_snapshot *snapshot = lines_snapshot("/moved/away/source.c", lines, COUNT(lines));
    struct asnap_path_rule rule = {"/moved/away/source.c", path};
    struct report_page page = {0};
    struct asnap_report_options options = {
        .source_lines = true, .path_rules = &rule, .path_rule_count = 1};
    write_page(snapshot, NULL, options, &page);
    CU_ASSERT_EQUAL_FATAL(report_page_count(&page, "srcs"), 3 * COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        CU_ASSERT_STRING_EQUAL(report_page_string(&page, report_page_number(&page, "srcs", 3 * i)),
                               "/moved/away/source.c");
        CU_ASSERT_EQUAL(report_page_number(&page, "srcs", 3 * i + 1), expected[i]);
    }
    report_page_deinit(&page);
    options.source_lines = false;
    write_page(snapshot, NULL, options, &page);
    CU_ASSERT(!report_page_has(&page, "srcs"));
    report_page_deinit(&page);
    asnap_snapshot_destroy(snapshot);
    unlink(path);
}

/* ---- failures ---- */

struct attempt {
    struct asnap_snapshot *snapshots[2];
    const char *path;
};

static struct asnap_error *try_report(void *context)
{
    struct attempt *attempt = context;
    struct asnap_report_fact fact = {"program", "prog", false};
    struct asnap_report_options options = {
        .page = report_page_path(), .facts = &fact, .fact_count = 1, .source_lines = true};
    return export_report(attempt->snapshots[0], attempt->snapshots[1], &options, attempt->path);
}

ASNAP_TEST(report, every_allocation_may_fail)
{
    report_page_path();
    struct attempt attempt = {{made_snapshot(COUNT(traces)), made_snapshot(3)},
                              dump_path("swept.html")};
    CU_ASSERT(asnap_unit_sweep(try_report, &attempt) > 40);
    asnap_snapshot_destroy(attempt.snapshots[0]);
    asnap_snapshot_destroy(attempt.snapshots[1]);
}

ASNAP_TEST(report, pages_that_cannot_be_used)
{
    static const char *const pages[] = {"/nowhere/report.html", "/dev/null", "/proc/self/maps"};
    struct asnap_snapshot *snapshot = made_snapshot(1);
    const char *path = dump_path("unmade.html");
    size_t files = dump_file_count();
    for (size_t i = 0; i < COUNT(pages); i++) {
        struct asnap_report_options options = {.page = pages[i]};
        ASNAP_ASSERT_ERROR(export_report(snapshot, NULL, &options, path), ASNAP_ERROR_IO);
    }
    ASNAP_ASSERT_ERROR(export_report(snapshot, NULL, NULL, path), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(export_report(snapshot, NULL, &(struct asnap_report_options){0}, path),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(dump_file_count(), files);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(report, more_bytes_than_browsers_count)
{
    static const struct heap_blocks blocks[] = {
        {UINT64_C(1) << 52, 2, 0, 0, {{"/s/a.c", "f", 1, false, 0}}}};
    struct asnap_snapshot *snapshot = heap_snapshot(blocks, 1);
    struct asnap_report_options options = {.page = report_page_path()};
    ASNAP_ASSERT_ERROR(export_report(snapshot, NULL, &options, dump_path("large.html")),
                       ASNAP_ERROR_UNSUPPORTED);
    asnap_snapshot_destroy(snapshot);
}

/* ---- samples ---- */

static struct asnap_snapshot *sampled_snapshot(uint64_t period)
{
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_sample_period(builder, period));
    ASNAP_ASSERT_OK(add_all(builder, 4));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

static uint64_t wide_number(const struct report_page *page, const char *low, const char *high,
                            size_t index)
{
    return report_page_number(page, low, index) | report_page_number(page, high, index) << 32;
}

/* The cells add up to the estimates of the whole. */
ASNAP_TEST(report, samples_are_estimates)
{
    struct asnap_snapshot *snapshot = sampled_snapshot(1000);
    struct asnap_estimate estimate = asnap_snapshot_estimate(snapshot);
    struct report_page page = {0};
    write_page(snapshot, NULL, (struct asnap_report_options){0}, &page);
    uint64_t size = 0;
    uint64_t parts = 0;
    double variance = 0;
    size_t sampled = 0;
    for (size_t i = 0; i < report_page_count(&page, "cest"); i++) {
        uint64_t bits = wide_number(&page, "cevl", "cevh", i);
        double of_cell;
        memcpy(&of_cell, &bits, sizeof(of_cell));
        size += wide_number(&page, "cesi", "cesh", i);
        parts += wide_number(&page, "cepl", "ceph", i);
        variance += of_cell;
        sampled += report_page_number(&page, "ceco", i);
    }
    CU_ASSERT(estimate.size > 464 && size == estimate.size);
    CU_ASSERT(estimate.count > 4 && (double)parts == estimate.count * 65536);
    CU_ASSERT_DOUBLE_EQUAL(variance, estimate.size_error * estimate.size_error, 1e-6 * variance);
    CU_ASSERT_EQUAL(sampled, estimate.sampled_count);
    CU_ASSERT_EQUAL(report_page_number(&page, "time", 4), 1000);
    CU_ASSERT_EQUAL(report_page_number(&page, "time", 15) & 8, 8);
    report_page_deinit(&page);
    asnap_snapshot_destroy(snapshot);
    snapshot = made_snapshot(1);
    write_page(snapshot, NULL, (struct asnap_report_options){0}, &page);
    CU_ASSERT(!report_page_has(&page, "cepl"));
    CU_ASSERT_EQUAL(report_page_number(&page, "time", 15) & 8, 0);
    report_page_deinit(&page);
    asnap_snapshot_destroy(snapshot);
}
