/* What is said of rows beside their numbers, and how rows of each key are shown. */
#include <stdio.h>
#include <string.h>

#include "keyed_heap.h"
#include "test_model_heap.h"

/* walk() calls itself, and the heap's other stack goes through it once. */
static const struct heap_blocks recursive[] = {
    {.size = 10,
     .count = 2,
     .stack = {{"/r.c", "walk", 5, false, 0},
               {"/r.c", "walk", 5, false, 0},
               {"/r.c", "walk", 6, false, 0},
               {"/r.c", "main", 9, false, 0}}},
    {.size = 7,
     .count = 1,
     .stack = {{"/r.c", "walk", 5, false, 0}, {"/r.c", "main", 9, false, 0}}},
};

ASNAP_TEST(statistics_details, recursion_is_counted_again)
{
    static const struct {
        enum asnap_key key;
        bool cumulative;
        uint64_t size, repeated_size, repeated_count; /* of the first row */
    } cases[] = {
        {ASNAP_KEY_LINENO, true, 47, 20, 2},    {ASNAP_KEY_FUNCTION, true, 67, 40, 4},
        {ASNAP_KEY_FILENAME, true, 94, 67, 7},  {ASNAP_KEY_LINENO, false, 27, 0, 0},
        {ASNAP_KEY_TRACEBACK, false, 20, 0, 0}, {ASNAP_KEY_SIZE, false, 20, 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asnap_detail detail;
        struct asnap_statistics *statistics = heap_statistics(
            heap_snapshot(recursive, COUNT(recursive)), cases[i].key, cases[i].cumulative);
        CU_ASSERT_EQUAL(asnap_statistics_row(statistics, 0).size, cases[i].size);
        ASNAP_ASSERT_OK(asnap_statistics_detail(statistics, 0, &detail));
        CU_ASSERT_EQUAL(detail.repeated.size, cases[i].repeated_size);
        CU_ASSERT_EQUAL(detail.repeated.count, cases[i].repeated_count);
        CU_ASSERT_EQUAL(detail.through.count, 0);
        asnap_statistics_destroy(statistics);
    }
}

/* Lines that ask through helpers, and one that asks itself as well. */
static const struct heap_blocks helped[] = {
    {.size = 100,
     .count = 1,
     .stack = {{"/h.c", "dup", 1, false, 0},
               {"/h.c", "copy", 2, false, 0},
               {"/m.c", "f", 7, false, 0}}},
    {.size = 60, .count = 2, .stack = {{"/h.c", "dup", 1, false, 0}, {"/m.c", "f", 7, false, 0}}},
    {.size = 30, .count = 1, .stack = {{"/m.c", "f", 7, false, 0}}},
    {.size = 5, .count = 1, .stack = {{"/h.c", "dup", 1, false, 0}, {"/m.c", "g", 8, false, 0}}},
};

ASNAP_TEST(statistics_details, rows_tell_what_was_passed_over)
{
    static const char *const rules[] = {"dup", "copy"};
    struct asnap_snapshot *snapshot = heap_snapshot(helped, COUNT(helped));
    struct asnap_snapshot *skipped = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_skip(
        snapshot, &(struct asnap_skip_rules){.patterns = rules, .pattern_count = 2}, &skipped));
    asnap_snapshot_destroy(snapshot);
    struct asnap_statistics *statistics = heap_statistics(skipped, ASNAP_KEY_LINENO, false);
    struct asnap_detail detail;
    ASNAP_ASSERT_OK(asnap_statistics_detail(statistics, 0, &detail));
    CU_ASSERT_EQUAL(detail.through.size, 220);
    CU_ASSERT_EQUAL(detail.through.count, 3);
    CU_ASSERT_EQUAL(detail.function_count, 2);
    CU_ASSERT_STRING_EQUAL(detail.function, "dup");
    char *text = NULL;
    struct asnap_render_options options = {0};
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    CU_ASSERT_STRING_EQUAL(
        text,
        "2 lines, by size\n"
        "#1: /m.c:7: size=250 B, count=4, average=62 B, in f (220 B through dup and 1 other)\n"
        "#2: /m.c:8: size=5 B, count=1, average=5 B, in g (through dup)\n"
        "Total: size=255 B, count=5\n");
    asnap_string_destroy(text);
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ",\"through\":{\"function\":\"dup\",\"functions\":2,"
                                        "\"size\":220,\"count\":3}}"));
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

static void expect_rendered(enum asnap_key key, enum asnap_format format, const char *expected)
{
    static const char *const labels[] = {NULL, "1 \"main\"", NULL, NULL};
    struct asnap_render_options options = {
        .limit = 1, .thread_labels = labels, .thread_label_count = COUNT(labels)};
    struct asnap_statistics *statistics =
        heap_statistics(keyed_snapshot(keyed_traces, KEYED_TRACES), key, false);
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, format, &options, &text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(statistics_details, as_text)
{
    expect_rendered(ASNAP_KEY_FUNCTION, ASNAP_FORMAT_TEXT,
                    "Top 1 of 4 functions, by size\n"
                    "#1: main: size=5001 B, count=2, average=2500 B, in /src/m.c\n"
                    "3 other: size=339 B, count=5\n"
                    "Total: size=5340 B, count=7\n");
    expect_rendered(ASNAP_KEY_MODULE, ASNAP_FORMAT_TEXT,
                    "Top 1 of 3 modules, by size\n"
                    "#1: /bin/prog: size=5001 B, count=2, average=2500 B\n"
                    "2 other: size=339 B, count=5\n"
                    "Total: size=5340 B, count=7\n");
    expect_rendered(ASNAP_KEY_THREAD, ASNAP_FORMAT_TEXT,
                    "Top 1 of 3 threads, by size\n"
                    "#1: thread 4711 (1 \"main\"): size=5191 B, count=3, average=1730 B\n"
                    "2 other: size=149 B, count=4\n"
                    "Total: size=5340 B, count=7\n");
    expect_rendered(ASNAP_KEY_SIZE, ASNAP_FORMAT_TEXT,
                    "Top 1 of 6 block sizes, by size\n"
                    "#1: 4 KiB to < 8 KiB: size=5000 B, count=1, average=5000 B\n"
                    "5 other: size=340 B, count=6\n"
                    "Total: size=5340 B, count=7\n");
}

ASNAP_TEST(statistics_details, as_json)
{
    expect_rendered(
        ASNAP_KEY_FUNCTION, ASNAP_FORMAT_JSON,
        "{\"key\":\"function\",\"cumulative\":false,\"statistics\":[{\"size\":5001,\"count\":2,"
        "\"average\":2500.5,\"label\":\"main\",\"traceback\":[{\"filename\":\"/src/"
        "m.c\",\"lineno\":0,\"function\":\"main\",\"inlined\":false,\"named_by\":\"line "
        "table\",\"module\":\"/bin/"
        "prog\",\"build_id\":\"aa\",\"offset\":null}],\"total_nframe\":1,\"functions\":1}],"
        "\"rows\":4,\"other\":{\"rows\":3,\"size\":339,\"count\":5},\"total\":{\"size\":5340,"
        "\"count\":7},\"notes\":[]}\n");
    expect_rendered(
        ASNAP_KEY_THREAD, ASNAP_FORMAT_JSON,
        "{\"key\":\"thread\",\"cumulative\":false,\"statistics\":[{\"size\":5191,\"count\":3,"
        "\"average\":1730.3333333333333,\"label\":\"thread 4711\",\"thread\":4711,"
        "\"thread_label\":\"1 \\\"main\\\"\",\"traceback\":[],\"total_nframe\":0,"
        "\"functions\":0}],\"rows\":3,\"other\":{\"rows\":2,\"size\":149,\"count\":4},"
        "\"total\":{\"size\":5340,\"count\":7},\"notes\":[]}\n");
    expect_rendered(
        ASNAP_KEY_AGE, ASNAP_FORMAT_JSON,
        "{\"key\":\"age\",\"cumulative\":false,\"statistics\":[{\"size\":5000,\"count\":2,"
        "\"average\":2500,\"label\":\"< 1 s\",\"from\":0,\"below\":1,\"traceback\":[],"
        "\"total_nframe\":0,\"functions\":0}],\"rows\":5,\"other\":{\"rows\":4,\"size\":340,"
        "\"count\":5},\"total\":{\"size\":5340,\"count\":7},\"notes\":[]}\n");
}
