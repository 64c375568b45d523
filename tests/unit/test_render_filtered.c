/* What the filters have left, beside what there was. */
#include <string.h>

#include "test_model_heap.h"

static const struct heap_blocks all[] = {
    {.size = 2048, .count = 100, .stack = {{"/src/a.c", "cache", 8, false, 0}}},
    {.size = 10, .count = 1, .stack = {{"/src/b.c", "main", 7, false, 0}}},
};

static void expect_text(char *text, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(text, expected);
    asnap_string_destroy(text);
}

ASNAP_TEST(render_filtered, statistics)
{
    const struct asnap_statistic_diff whole = {.size = 204810, .count = 101};
    struct asnap_render_options options = {.unfiltered = &whole};
    struct asnap_snapshot *part = heap_snapshot(all + 1, 1);
    struct asnap_statistics *statistics = NULL;
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_statistics_create(part, ASNAP_KEY_FILENAME, false, &statistics));
    asnap_snapshot_destroy(part);
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    expect_text(text, "filtered: 1 of 101 blocks (10 B of 200 KiB)\n"
                      "1 file, by size\n"
                      "#1: /src/b.c:0: size=10 B, count=1, average=10 B\n"
                      "Total: size=10 B, count=1\n");
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ",\"total\":{\"size\":10,\"count\":1},"
                                        "\"unfiltered\":{\"size\":204810,\"count\":101},"
                                        "\"notes\":[]}\n"));
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(render_filtered, traces)
{
    const struct asnap_statistic_diff whole = {.size = 5000, .count = 2};
    struct asnap_render_options options = {.unfiltered = &whole};
    struct asnap_snapshot *part = heap_snapshot(all + 1, 1);
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(part, ASNAP_FORMAT_TEXT, &options, &text));
    CU_ASSERT_PTR_EQUAL(strstr(text, "filtered: 1 of 2 blocks (10 B of 5000 B)\n"
                                     "1 block, by size\n"),
                        text);
    asnap_string_destroy(text);
    ASNAP_ASSERT_OK(asnap_render_traces(part, ASNAP_FORMAT_JSON, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "},\"unfiltered\":{\"size\":5000,\"count\":2},"
                                        "\"start\":null,\"notes\":[]}\n"));
    asnap_string_destroy(text);
    asnap_snapshot_destroy(part);
}

ASNAP_TEST(render_filtered, nothing_left)
{
    const struct asnap_statistic_diff whole = {.size = 7, .count = 1};
    struct asnap_render_options options = {.unfiltered = &whole};
    struct asnap_snapshot *part = NULL;
    struct asnap_statistics *statistics = NULL;
    char *text = NULL;
    ASNAP_ASSERT_OK(heap_try(NULL, 0, "cut", &part));
    ASNAP_ASSERT_OK(asnap_statistics_create(part, ASNAP_KEY_LINENO, false, &statistics));
    asnap_snapshot_destroy(part);
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    expect_text(text, "warning: cut\n"
                      "filtered: 0 of 1 block (0 B of 7 B)\n"
                      "No live traced blocks.\n");
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(render_filtered, differences)
{
    const struct asnap_statistic_diff whole = {
        .size = 1000, .count = 50, .size_diff = 990, .count_diff = -1};
    struct asnap_render_options options = {.unfiltered = &whole};
    struct asnap_snapshot *new_part = heap_snapshot(all + 1, 1);
    struct asnap_snapshot *old_part = heap_snapshot(NULL, 0);
    struct asnap_diff *diff = NULL;
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_diff_create(new_part, old_part, ASNAP_KEY_FILENAME, false, &diff));
    asnap_snapshot_destroy(new_part);
    asnap_snapshot_destroy(old_part);
    ASNAP_ASSERT_OK(asnap_render_diff(diff, ASNAP_FORMAT_TEXT, &options, &text));
    expect_text(text, "filtered: 1 of 50 blocks (10 B of 1000 B), before 0 of 51 blocks "
                      "(0 B of 10 B)\n"
                      "1 file, by difference in size\n"
                      "#1: /src/b.c:0: size=10 B (+10 B), count=1 (+1), average=10 B\n"
                      "Total: size=10 B (+10 B), count=1 (+1)\n");
    ASNAP_ASSERT_OK(asnap_render_diff(diff, ASNAP_FORMAT_JSON, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"unfiltered\":{\"size\":1000,\"size_diff\":990,"
                                        "\"count\":50,\"count_diff\":-1},\"notes\":[]}\n"));
    asnap_string_destroy(text);
    asnap_diff_destroy(diff);
}
