/* Threads and times in what is shown of blocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test_model_heap.h"

/* 2024-05-17 14:03:10 UTC */
#define START UINT64_C(1715954590123456789)

static void use_utc(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

/* Four blocks, of which more and more is known. */
static struct asnap_snapshot *blocks(uint64_t start)
{
    static const uint32_t threads[] = {0, 4711, 4712};
    static const struct asnap_trace traces[] = {
        {0x1000, 40, 0, 0, 0, ASNAP_TIME_UNKNOWN},
        {0x2000, 30, 0, 0, 1, ASNAP_TIME_UNKNOWN},
        {0x3000, 20, 0, 7, 0, 100 * 3600 * 10},
        {0x4000, 10, 0, 0, 2, 1207},
    };
    const struct asnap_frame frame = {"/s/a.c", "f", 1, false, 0};
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    uint32_t id;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 0, &id));
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 3));
    ASNAP_ASSERT_OK(asnap_builder_start_time(builder, start));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, traces, 4));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    use_utc();
    return snapshot;
}

static void check(char *text, const char *wanted)
{
    CU_ASSERT_STRING_EQUAL(text, wanted);
    if (strcmp(text, wanted) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
}

static const char *const labels[] = {NULL, NULL, "2 \"wo\x01rker\""};

ASNAP_TEST(render_origins, rows)
{
    struct asnap_snapshot *snapshot = blocks(START);
    struct asnap_render_options options = {.thread_labels = labels, .thread_label_count = 3};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    check(text, "4 blocks, by size\n"
                "#1: 0x1000: size=40 B, at /s/a.c:1 in f\n"
                "#2: 0x2000: size=30 B, thread=4711, at /s/a.c:1 in f\n"
                "#3: 0x3000: size=20 B, domain=7, time=36000.00 s (00:03:10), at /s/a.c:1 in f\n"
                "#4: 0x4000: size=10 B, thread=4712 (2 \"wo\\x01rker\"), time=12.07 s (14:03:22), "
                "at /s/a.c:1 in f\n"
                "Total: size=100 B, count=4\n");
    options = (struct asnap_render_options){.order = ASNAP_ORDER_AGE, .limit = 2};
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    check(text, "Top 2 of 4 blocks, oldest first\n"
                "#1: 0x4000: size=10 B, thread=4712, time=12.07 s (14:03:22), at /s/a.c:1 in f\n"
                "#2: 0x3000: size=20 B, domain=7, time=36000.00 s (00:03:10), at /s/a.c:1 in f\n"
                "2 other: size=70 B, count=2\n"
                "Total: size=100 B, count=4\n");
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(render_origins, no_times_without_a_start)
{
    struct asnap_snapshot *snapshot = blocks(0);
    struct asnap_render_options options = {.order = ASNAP_ORDER_AGE, .limit = 1};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 0x4000, ASNAP_FORMAT_TEXT, &options, &text));
    check(text, "0x4000: a block, size=10 B\n    by thread 4712\n    at /s/a.c:1 in f\n");
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(render_origins, who)
{
    static const struct {
        uint64_t address;
        const char *text;
    } cases[] = {
        {0x1000, "0x1000: a block, size=40 B\n    at /s/a.c:1 in f\n"},
        {0x2001, "0x2001: 1 byte into the block at 0x2000, size=30 B\n"
                 "    by thread 4711\n    at /s/a.c:1 in f\n"},
        {0x3014, "0x3014: in no live traced block, at the end of the block at 0x3000, size=20 B, "
                 "domain=7\n"
                 "    36000.00 s after the start of the hooks, at 2024-05-18 00:03:10\n"
                 "    at /s/a.c:1 in f\n"},
        {0x4000, "0x4000: a block, size=10 B\n"
                 "    by thread 4712 (2 \"wo\\x01rker\"), 12.07 s after the start of the hooks, at "
                 "2024-05-17 14:03:22\n"
                 "    at /s/a.c:1 in f\n"},
        {0x9000, "0x9000: in no live traced block: it was freed, or never traced\n"},
    };
    struct asnap_snapshot *snapshot = blocks(START);
    struct asnap_render_options options = {.thread_labels = labels, .thread_label_count = 3};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        ASNAP_ASSERT_OK(
            asnap_render_who(snapshot, cases[i].address, ASNAP_FORMAT_TEXT, &options, &text));
        check(text, cases[i].text);
    }
    asnap_snapshot_destroy(snapshot);
}

#define FRAMES                                                                                     \
    "\"traceback\":[{\"filename\":\"/s/a.c\",\"lineno\":1,\"function\":\"f\","                     \
    "\"inlined\":false,\"named_by\":\"line "                                                       \
    "table\",\"module\":null,\"build_id\":null,\"offset\":null}],\"total_nframe\":1}"

ASNAP_TEST(render_origins, json)
{
    struct asnap_snapshot *snapshot = blocks(START);
    struct asnap_render_options options = {
        .order = ASNAP_ORDER_AGE, .limit = 2, .thread_labels = labels, .thread_label_count = 3};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, &options, &text));
    check(text,
          "{\"traces\":[{\"address\":16384,\"size\":10,\"domain\":0,\"domain_name\":null,"
          "\"thread\":4712,\"thread_label\":\"2 \\\"wo\\u0001rker\\\"\",\"time\":12.07," FRAMES
          ",{\"address\":12288,\"size\":20,\"domain\":7,\"domain_name\":null,"
          "\"thread\":null,\"thread_label\":null,\"time\":36000.00," FRAMES "],\"rows\":4,"
          "\"other\":{\"rows\":2,\"size\":70,\"count\":2},"
          "\"total\":{\"size\":100,\"count\":4},\"start\":1715954590.123456789,"
          "\"notes\":[]}\n");
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 0x2000, ASNAP_FORMAT_JSON, &options, &text));
    check(text, "{\"address\":8192,\"trace\":{\"address\":8192,\"size\":30,\"domain\":0,"
                "\"domain_name\":null,\"thread\":4711,\"thread_label\":null,\"time\":null," FRAMES
                ",\"offset\":0,\"reach\":null,\"start\":1715954590.123456789,\"notes\":[]}\n");
    asnap_snapshot_destroy(snapshot);
}
