#include <stdio.h>
#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct heap_blocks before[] = {
    {.size = 2048, .count = 100, .stack = {{"/src/gone.c", "cache", 8, false, 0}}},
    {.size = 1000, .count = 4, .stack = {{"/src/a.c", "grow", 41, false, 0}}},
    {.size = 5, .count = 1, .stack = {{"/src/m.c", "main", 7, false, 0}}},
};

static const struct heap_blocks after[] = {
    {.size = 1000, .count = 40, .stack = {{"/src/a.c", "grow", 41, true, 0}}},
    {.size = 5, .count = 1, .stack = {{"/src/m.c", "main", 7, false, 0}}},
    {.size = 3, .count = 1, .stack = {{"/src/m.c", "main", 9, false, 0}}},
};

static struct asnap_diff *make_diff(const char *note, enum asnap_key key, bool cumulative)
{
    struct asnap_snapshot *new_snapshot = NULL;
    struct asnap_snapshot *old_snapshot = NULL;
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(heap_try(after, COUNT(after), note, &new_snapshot));
    ASNAP_ASSERT_OK(heap_try(before, COUNT(before), NULL, &old_snapshot));
    ASNAP_ASSERT_OK(asnap_diff_create(new_snapshot, old_snapshot, key, cumulative, &diff));
    asnap_snapshot_destroy(new_snapshot);
    asnap_snapshot_destroy(old_snapshot);
    return diff;
}

static void expect(enum asnap_format format, struct asnap_diff *diff, size_t limit,
                   const char *expected)
{
    struct asnap_render_options options = {.limit = limit};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_diff(diff, format, &options, &text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
    asnap_diff_destroy(diff);
}

ASNAP_TEST(render_diff, text)
{
    expect(ASNAP_FORMAT_TEXT, make_diff(NULL, ASNAP_KEY_LINENO, false), 0,
           "4 lines, by difference in size\n"
           "#1: /src/gone.c:8: size=0 B (-200 KiB), count=0 (-100), in cache\n"
           "#2: /src/a.c:41: size=39.1 KiB (+35.2 KiB), count=40 (+36), average=1000 B, in grow\n"
           "#3: /src/m.c:9: size=3 B (+3 B), count=1 (+1), average=3 B, in main\n"
           "#4: /src/m.c:7: size=5 B (+0 B), count=1 (+0), average=5 B, in main\n"
           "Total: size=39.1 KiB (-165 KiB), count=42 (-63)\n");
}

ASNAP_TEST(render_diff, text_with_a_limit)
{
    expect(ASNAP_FORMAT_TEXT, make_diff("cut", ASNAP_KEY_FILENAME, false), 1,
           "warning: new snapshot: cut\n"
           "Top 1 of 3 files, by difference in size\n"
           "#1: /src/gone.c:0: size=0 B (-200 KiB), count=0 (-100)\n"
           "2 other: size=39.1 KiB (+35.2 KiB), count=42 (+37)\n"
           "Total: size=39.1 KiB (-165 KiB), count=42 (-63)\n");
    expect(ASNAP_FORMAT_TEXT, make_diff(NULL, ASNAP_KEY_FILENAME, true), 2,
           "Top 2 of 3 files, by difference in size (cumulative: a block counts for each of its "
           "frames)\n"
           "#1: /src/gone.c:0: size=0 B (-200 KiB), count=0 (-100)\n"
           "#2: /src/a.c:0: size=39.1 KiB (+35.2 KiB), count=40 (+36), average=1000 B\n"
           "1 other\n"
           "Total: size=39.1 KiB (-165 KiB), count=42 (-63)\n");
}

ASNAP_TEST(render_diff, text_of_nothing)
{
    struct asnap_snapshot *empty = heap_snapshot(NULL, 0);
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(asnap_diff_create(empty, empty, ASNAP_KEY_LINENO, false, &diff));
    asnap_snapshot_destroy(empty);
    expect(ASNAP_FORMAT_TEXT, diff, 0, "No live traced blocks in either snapshot.\n");
}

ASNAP_TEST(render_diff, json)
{
    expect(
        ASNAP_FORMAT_JSON, make_diff(NULL, ASNAP_KEY_TRACEBACK, false), 2,
        "{\"key\":\"traceback\",\"cumulative\":false,\"statistics\":[{\"size\":0,\"size_diff\":-"
        "204800,\"count\":0,\"count_diff\":-100,\"average\":null,\"traceback\":[{\"filename\":\"/"
        "src/gone.c\",\"lineno\":8,\"function\":\"cache\",\"inlined\":false,\"named_by\":\"line "
        "table\",\"module\":null,\"build_id\":null,\"offset\":null}],\"total_nframe\":1,"
        "\"functions\":1},{\"size\":40000,\"size_diff\":36000,\"count\":40,\"count_diff\":36,"
        "\"average\":1000,\"traceback\":[{\"filename\":\"/src/"
        "a.c\",\"lineno\":41,\"function\":\"grow\",\"inlined\":true,\"named_by\":\"inline\","
        "\"module\":null,\"build_id\":null,\"offset\":null}],\"total_nframe\":1,\"functions\":1}],"
        "\"rows\":4,\"other\":{\"rows\":2,\"size\":8,\"size_diff\":3,\"count\":2,\"count_diff\":1},"
        "\"total\":{\"size\":40008,\"size_diff\":-168797,\"count\":42,\"count_diff\":-63},"
        "\"notes\":[]}\n");
}

struct rendering {
    const struct asnap_diff *diff;
    enum asnap_format format;
};

static struct asnap_error *render_diff(void *context)
{
    const struct rendering *rendering = context;
    struct asnap_render_options options = {.source_lines = true};
    char *text = NULL;
    struct asnap_error *error =
        asnap_render_diff(rendering->diff, rendering->format, &options, &text);
    CU_ASSERT((error == NULL) == (text != NULL));
    asnap_string_destroy(text);
    return error;
}

ASNAP_TEST(render_diff, survives_every_failed_allocation)
{
    struct asnap_diff *diff = make_diff("note", ASNAP_KEY_TRACEBACK, false);
    struct rendering rendering = {diff, ASNAP_FORMAT_TEXT};
    CU_ASSERT(asnap_unit_sweep(render_diff, &rendering) > 2);
    rendering.format = ASNAP_FORMAT_JSON;
    CU_ASSERT(asnap_unit_sweep(render_diff, &rendering) > 2);
    asnap_diff_destroy(diff);
}
