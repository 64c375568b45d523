/* Blocks that were freed, and calls that freed them again, as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allocsnap_tracing.h"
#include "test_model_heap.h"

/* Of these traces, all of one stack. */
static struct asnap_snapshot *snapshot_of(const struct asnap_trace *traces, size_t count)
{
    static const uint32_t threads[] = {0, 4711};
    const struct asnap_frame frame = {"/s/a.c", "f", 1, false, 0};
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    uint32_t id;
    setenv("TZ", "UTC", 1);
    tzset();
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 0, &id));
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 2));
    ASNAP_ASSERT_OK(asnap_builder_start_time(builder, UINT64_C(1715954590123456789)));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, traces, count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

static void check(char *text, const char *wanted)
{
    CU_ASSERT_STRING_EQUAL(text, wanted);
    if (strcmp(text, wanted) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
}

/* The block was freed at 12.07 s, and is told of at `newest` or later. */
static void check_ago(uint32_t newest, const char *freed, const char *allocated)
{
    static const struct asnap_trace traces[] = {{0x1000, 40, 0, 0, 1, 1176},
                                                {0x1000, 40, 0, 0, 1, 1207}};
    struct asnap_snapshot *snapshot = snapshot_of(traces, 2);
    struct asnap_render_options options = {.newest = newest};
    char *text = NULL;
    char wanted[512];
    snprintf(wanted, sizeof(wanted),
             "freed before: a block, size=40 B\n"
             "  it was freed %s s ago\n"
             "    by thread 4711, 12.07 s after the start of the hooks, at 2024-05-17 14:03:22\n"
             "    at /s/a.c:1 in f\n"
             "  it was allocated %s s ago\n"
             "    by thread 4711, 11.76 s after the start of the hooks, at 2024-05-17 14:03:21\n"
             "    at /s/a.c:1 in f\n",
             freed, allocated);
    ASNAP_ASSERT_OK(asnap_render_lives(snapshot, 0x1000, ASNAP_FORMAT_TEXT, &options, &text));
    check(text, wanted);
    ASNAP_ASSERT_OK(asnap_render_lives(snapshot, 0x1000, ASNAP_FORMAT_JSON, &options, &text));
    snprintf(wanted, sizeof(wanted), "\"freed_ago\":%s,\"allocated_ago\":%s}]", freed, allocated);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
    asnap_string_destroy(text);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(render_lives, say_how_long_ago)
{
    check_ago(0, "0.00", "0.31");
    check_ago(1200, "0.00", "0.31");
    check_ago(1407, "2.00", "2.31");
}

ASNAP_TEST(render_lives, errors_of_both_kinds)
{
    static const struct asnap_trace traces[] = {
        {0x1000, 40, 0, 0, 1, 1300}, {0x2000, 0, 0, 0, 0, 1100},
        {0x1000, 40, 0, 0, 0, 1207}, {0x2000, 0, 0, 0, 0, ASNAP_TIME_UNKNOWN},
        {0x1000, 40, 0, 0, 0, 1176}, {0x2000, 0, 0, 0, 0, ASNAP_TIME_UNKNOWN},
    };
    const struct asnap_errors errors = {true, 2, 1, 1, 1, 0};
    const struct asnap_render_options options = {.limit = 0};
    struct asnap_snapshot *snapshot = snapshot_of(traces, 6);
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_errors(snapshot, &errors, ASNAP_FORMAT_TEXT, &options, &text));
    check(text, "2 blocks were freed twice, 1 call was to free a block that is not known\n"
                "0x1000: freed twice: a block, size=40 B\n"
                "  it was freed again 0.00 s ago\n"
                "    by thread 4711, 13.00 s after the start of the hooks, at 2024-05-17 14:03:23\n"
                "    at /s/a.c:1 in f\n"
                "  it was freed before 0.93 s ago\n"
                "    12.07 s after the start of the hooks, at 2024-05-17 14:03:22\n"
                "    at /s/a.c:1 in f\n"
                "  it was allocated 1.24 s ago\n"
                "    11.76 s after the start of the hooks, at 2024-05-17 14:03:21\n"
                "    at /s/a.c:1 in f\n"
                "0x2000: no live traced block: it was not traced, or freed before those that are "
                "kept\n"
                "  it was to be freed 2.00 s ago\n"
                "    11.00 s after the start of the hooks, at 2024-05-17 14:03:21\n"
                "    at /s/a.c:1 in f\n");
    ASNAP_ASSERT_ERROR(asnap_render_errors(snapshot, NULL, ASNAP_FORMAT_TEXT, &options, &text),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_snapshot_destroy(snapshot);
}
