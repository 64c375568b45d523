/* Folded stacks, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "test_model_dump.h"

struct given {
    const char *functions[3]; /* most recent first */
    uint32_t total_nframe;    /* 0: as many as there are */
    uint64_t sizes[3];        /* of its blocks; the first 0 ends them */
};

static struct asnap_snapshot *snapshot_of(const struct given *given, size_t count)
{
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (size_t i = 0; i < count; i++) {
        uint32_t frames[3];
        uint32_t frame_count = 0;
        struct asnap_trace trace = {.address = 4096 * (i + 1)};
        for (; frame_count < 3 && given[i].functions[frame_count] != NULL; frame_count++) {
            const char *function = given[i].functions[frame_count];
            bool is_place = function[0] == '@';
            struct asnap_frame frame = {.filename = is_place ? function + 1 : "/src/a.c",
                                        .function = is_place ? NULL : function,
                                        .lineno = (uint32_t)i + 1};
            ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 16 * i + 1, ASNAP_NO_MAPPING,
                                                &frames[frame_count]));
        }
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, frame_count, given[i].total_nframe,
                                                &trace.traceback_id));
        for (size_t k = 0; k < 3 && given[i].sizes[k] != 0; k++) {
            trace.size = given[i].sizes[k];
            trace.address += 1024;
            ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
        }
    }
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 3, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

static const struct given now[] = {
    {{"read", "parse", "main"}, 0, {10, 20, 30}},
    {{"read", "parse", "main"}, 0, {4}}, /* another line of the same functions */
    {{"write", "main", NULL}, 0, {100}},
    {{"deep", "deeper", NULL}, 9, {7}},
    {{"f", "main", NULL}, ASNAP_TOTAL_UNKNOWN, {1}},
    {{"@/src/b.c", "main", NULL}, 0, {3}},
    {{"#a;b \"c\" \\", "line\nend \xff", "caf\xc3\xa9"}, 0, {2}},
};

static const struct given before[] = {
    {{"read", "parse", "main"}, 0, {10}},
    {{"gone", "main", NULL}, 0, {50, 50}},
};

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void check(const struct asnap_snapshot *snapshot, const struct asnap_export_options *options,
                  const char *expected)
{
    size_t size;
    const char *path = dump_path("out.folded");
    ASNAP_ASSERT_OK(asnap_export(snapshot, ASNAP_EXPORT_FOLDED, options, path));
    char *bytes = (char *)dump_bytes(path, &size);
    bytes[size] = '\0';
    CU_ASSERT_STRING_EQUAL(bytes, expected);
    free(bytes);
}

ASNAP_TEST(export_folded, bytes_of_each_stack)
{
    struct asnap_snapshot *snapshot = snapshot_of(now, COUNT(now));
    check(snapshot, NULL,
          "main;parse;read 64\n"
          "main;write 100\n"
          "[beyond the frame limit];deeper;deep 7\n"
          "[beyond the frame limit];main;f 1\n"
          "main;/src/b.c:6 3\n"
          "caf\xc3\xa9;line\\x0aend \\xff;\\x23a\\x3bb \"c\" \\ 2\n");
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(export_folded, blocks_of_each_stack)
{
    struct asnap_snapshot *snapshot = snapshot_of(now, 3);
    struct asnap_export_options options = {.by_count = true};
    check(snapshot, &options, "main;parse;read 4\nmain;write 1\n");
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(export_folded, two_snapshots)
{
    struct asnap_snapshot *snapshot = snapshot_of(now, 3);
    struct asnap_snapshot *old = snapshot_of(before, COUNT(before));
    struct asnap_export_options options = {.old_snapshot = old};
    check(snapshot, &options, "main;parse;read 10 64\nmain;write 0 100\nmain;gone 100 0\n");
    asnap_snapshot_destroy(old);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(export_folded, nothing)
{
    struct asnap_snapshot *snapshot = snapshot_of(now, 0);
    check(snapshot, NULL, "");
    asnap_snapshot_destroy(snapshot);
}

static bool stop(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)step;
    (void)total;
    ++*(int *)context;
    return done != 0;
}

ASNAP_TEST(export_folded, interrupted)
{
    int asked = 0;
    struct asnap_progress progress = {stop, &asked};
    struct asnap_export_options options = {.progress = &progress};
    struct asnap_snapshot *snapshot = snapshot_of(now, 3);
    const char *path = dump_path("out.folded");
    size_t files = dump_file_count();
    ASNAP_ASSERT_ERROR(asnap_export(snapshot, ASNAP_EXPORT_FOLDED, &options, path),
                       ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_EQUAL(asked, 1);
    CU_ASSERT_EQUAL(dump_file_count(), files);
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_error *export_step(void *context)
{
    return asnap_export(context, ASNAP_EXPORT_FOLDED, NULL, dump_path("out.folded"));
}

ASNAP_TEST(export_folded, no_memory)
{
    struct asnap_snapshot *snapshot = snapshot_of(now, COUNT(now));
    CU_ASSERT(asnap_unit_sweep(export_step, snapshot) > 5);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(export_folded, what_is_not_there)
{
    struct asnap_snapshot *snapshot = snapshot_of(now, 1);
    struct asnap_export_options options = {.old_snapshot = snapshot};
    int count = 0;
    while (asnap_export_describe((enum asnap_export_format)count) != NULL)
        count++;
    CU_ASSERT(count > ASNAP_EXPORT_TRACEMALLOC);
    const char *path = dump_path("out.folded");
    ASNAP_ASSERT_ERROR(asnap_export(snapshot, (enum asnap_export_format)count, NULL, path),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_export(snapshot, ASNAP_EXPORT_TRACEMALLOC, &options, path),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_snapshot_destroy(snapshot);
}
