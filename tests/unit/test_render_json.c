#include <stdio.h>
#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void expect_json(const struct heap_blocks *blocks, size_t count, const char *note,
                        enum asnap_key key, bool cumulative, size_t limit, const char *expected)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(heap_try(blocks, count, note, &snapshot));
    struct asnap_statistics *statistics = heap_statistics(snapshot, key, cumulative);
    struct asnap_render_options options = {.limit = limit, .source_lines = true};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

static const struct heap_blocks heap[] = {
    {.size = 10,
     .count = 4,
     .total_nframe = 7,
     .stack = {{"/s/a.c", "f", 4, true, 0}, {"/s/a.c", "main", 9, false, 0}}},
    {.size = 9,
     .count = 1,
     .stack = {{"/s/a.c", "g", 4, false, 0}, {"/s/a.c", "main", 9, false, 0}}},
    {.size = 3, .count = 1, .stack = {{"/l.so", NULL, 0, false, 0}}},
    {.size = 1, .count = 2, .stack = {{"/l.so", NULL, 0, false, 0}}},
};

ASNAP_TEST(render_json, by_line)
{
    expect_json(
        heap, COUNT(heap), NULL, ASNAP_KEY_LINENO, false, 0,
        "{\"key\":\"lineno\",\"cumulative\":false,\"statistics\":[{\"size\":49,\"count\":5,"
        "\"average\":9.8,\"traceback\":[{\"filename\":\"/s/"
        "a.c\",\"lineno\":4,\"function\":\"f\",\"inlined\":true,\"named_by\":\"inline\",\"module\":"
        "null,\"build_id\":null,\"offset\":null}],\"total_nframe\":1,\"functions\":2},{\"size\":5,"
        "\"count\":3,\"average\":1.6666666666666667,\"traceback\":[{\"filename\":\"/"
        "l.so\",\"lineno\":0,\"function\":null,\"inlined\":false,\"named_by\":\"none\",\"module\":"
        "null,\"build_id\":null,\"offset\":null}],\"total_nframe\":1,\"functions\":0}],\"rows\":2,"
        "\"total\":{\"size\":54,\"count\":8},\"notes\":[]}\n");
}

ASNAP_TEST(render_json, by_traceback_with_a_limit)
{
    expect_json(heap, COUNT(heap), "incomplete", ASNAP_KEY_TRACEBACK, false, 1,
                "{\"key\":\"traceback\",\"cumulative\":false,\"statistics\":[{\"size\":49,"
                "\"count\":5,\"average\":9.8,\"traceback\":[{\"filename\":\"/s/"
                "a.c\",\"lineno\":4,\"function\":\"f\",\"inlined\":true,\"named_by\":\"inline\","
                "\"module\":null,\"build_id\":null,\"offset\":null},{\"filename\":\"/s/"
                "a.c\",\"lineno\":9,\"function\":\"main\",\"inlined\":false,\"named_by\":\"line "
                "table\",\"module\":null,\"build_id\":null,\"offset\":null}],\"total_nframe\":7,"
                "\"functions\":2}],\"rows\":2,\"other\":{\"rows\":1,\"size\":5,\"count\":3},"
                "\"total\":{\"size\":54,\"count\":8},\"notes\":[\"incomplete\"]}\n");
}

ASNAP_TEST(render_json, frames_that_were_not_counted_are_null)
{
    static const struct heap_blocks unknown[] = {
        {.size = 10,
         .count = 4,
         .total_nframe = ASNAP_TOTAL_UNKNOWN,
         .stack = {{"/s/a.c", "f", 4, true, 0}}},
    };
    expect_json(unknown, 1, NULL, ASNAP_KEY_TRACEBACK, false, 0,
                "{\"key\":\"traceback\",\"cumulative\":false,\"statistics\":[{\"size\":40,"
                "\"count\":4,\"average\":10,\"traceback\":[{\"filename\":\"/s/"
                "a.c\",\"lineno\":4,\"function\":\"f\",\"inlined\":true,\"named_by\":\"inline\","
                "\"module\":null,\"build_id\":null,\"offset\":null}],\"total_nframe\":null,"
                "\"functions\":1}],\"rows\":1,\"total\":{\"size\":40,\"count\":4},\"notes\":[]}\n");
}

ASNAP_TEST(render_json, cumulative_rows_have_no_sum)
{
    expect_json(
        heap, COUNT(heap), NULL, ASNAP_KEY_FILENAME, true, 1,
        "{\"key\":\"filename\",\"cumulative\":true,\"statistics\":[{\"size\":98,\"count\":10,"
        "\"average\":9.8,\"traceback\":[{\"filename\":\"/s/"
        "a.c\",\"lineno\":0,\"function\":null,\"inlined\":false,\"named_by\":null,\"module\":null,"
        "\"build_id\":null,\"offset\":null}],\"total_nframe\":1,\"functions\":3,\"once\":{\"size\":"
        "49,\"count\":5}}],\"rows\":2,\"total\":{\"size\":54,\"count\":8},\"notes\":[]}\n");
}

ASNAP_TEST(render_json, of_nothing)
{
    expect_json(NULL, 0, NULL, ASNAP_KEY_LINENO, false, 5,
                "{\"key\":\"lineno\",\"cumulative\":false,\"statistics\":[],\"rows\":0,"
                "\"total\":{\"size\":0,\"count\":0},\"notes\":[]}\n");
}

ASNAP_TEST(render_json, strings_are_escaped)
{
    static const struct heap_blocks names[] = {
        {.size = 1,
         .count = 1,
         .stack = {{"/\"\\\n\x01\x7f\xc2\x9b\xe2\x80\xa8", "\xc3\xa9\xff\xe2\x82", 1, false, 0}}},
    };
    expect_json(names, 1, "say \"so\"", ASNAP_KEY_LINENO, false, 0,
                "{\"key\":\"lineno\",\"cumulative\":false,\"statistics\":[{\"size\":1,\"count\":1,"
                "\"average\":1,\"traceback\":[{\"filename\":\"/"
                "\\\"\\\\\\u000a\\u0001\\u007f\\u009b\\u2028\",\"lineno\":1,\"function\":"
                "\"\xc3\xa9\\ufffd\\ufffd\\ufffd\",\"inlined\":false,\"named_by\":\"line "
                "table\",\"module\":null,\"build_id\":null,\"offset\":null}],\"total_nframe\":1,"
                "\"functions\":1}],\"rows\":1,\"total\":{\"size\":1,\"count\":1},\"notes\":[\"say "
                "\\\"so\\\"\"]}\n");
}

static struct asnap_error *make_json(void *context)
{
    const struct asnap_statistics *statistics = context;
    struct asnap_render_options options = {0};
    char *text = NULL;
    struct asnap_error *error =
        asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text);
    CU_ASSERT((error == NULL) == (text != NULL));
    asnap_string_destroy(text);
    return error;
}

ASNAP_TEST(render_json, survives_every_failed_allocation)
{
    struct asnap_statistics *statistics =
        heap_statistics(heap_snapshot(heap, COUNT(heap)), ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT(asnap_unit_sweep(make_json, statistics) >= 2);
    asnap_statistics_destroy(statistics);
}
