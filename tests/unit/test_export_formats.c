/* What holds of every format of the table. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report_page.h"
#include "test_model_dump.h"

enum { BLOCKS = 100, STACKS = 7 };

static uint32_t add_frame(struct asnap_builder *builder, const struct asnap_frame *frame,
                          uint64_t address, uint32_t mapping)
{
    uint32_t id;
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, frame, address, mapping, &id));
    return id;
}

static void add_mappings(struct asnap_builder *builder)
{
    static const struct asnap_mapping mappings[] = {
        {0x1000, 0x9000, 0x1000, "/usr/bin/program", "0123456789abcdef0123456789abcdef01234567"},
        {0x100000, 0x200000, ASNAP_WHOLE_FILE, "/usr/lib/gone.so", ""},
        {0x300000, 0x301000, 0, "/usr/lib/unused.so", "01"},
    };
    for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
        ASNAP_ASSERT_OK(asnap_builder_mapping(builder, &mappings[i]));
}

/* Frames of every kind: with a line, inlined, with a symbol, with nothing, unknown. */
static struct asnap_snapshot *make_snapshot(void)
{
    static const uint32_t threads[] = {0, 4711, 4712};
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    uint32_t frames[6];
    uint32_t stacks[STACKS];
    struct asnap_trace traces[BLOCKS] = {{0}};
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    add_mappings(builder);
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 3));
    ASNAP_ASSERT_OK(asnap_builder_start_time(builder, UINT64_C(1700000000000000000)));
    ASNAP_ASSERT_OK(asnap_builder_domain_name(builder, 1, "pool"));
    ASNAP_ASSERT_OK(asnap_builder_note(builder, "4 blocks were not recorded"));
    frames[0] =
        add_frame(builder, &(struct asnap_frame){"/src/a.c", "inner", 3, true, 0}, 0x1100, 0);
    frames[1] =
        add_frame(builder, &(struct asnap_frame){"/src/a.c", "outer", 9, false, 0}, 0x1100, 0);
    frames[2] =
        add_frame(builder, &(struct asnap_frame){"/src/a.c", "main", 20, false, 0}, 0x1200, 0);
    frames[3] = add_frame(builder, &(struct asnap_frame){"/usr/lib/gone.so", "sym", 0, false, 0},
                          0x100100, 1);
    frames[4] = add_frame(builder, &(struct asnap_frame){"/usr/lib/gone.so", NULL, 0, false, 0},
                          0x100200, 1);
    frames[5] = add_frame(builder, &(struct asnap_frame){"<unknown>", NULL, 0, false, 0}, 0,
                          ASNAP_NO_MAPPING);
    for (uint32_t i = 0; i < STACKS; i++)
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames + i % 3, 6 - i % 3 - i % 2,
                                                i % 2 == 0 ? 0 : 9 + i, &stacks[i]));
    for (uint32_t i = 0; i < BLOCKS; i++)
        traces[i] = (struct asnap_trace){.address = 0x500000 + 64 * i,
                                         .size = i % 5,
                                         .traceback_id = stacks[i % STACKS],
                                         .domain = i % 3,
                                         .thread = i % 3,
                                         .time = i % 11 == 0 ? ASNAP_TIME_UNKNOWN : 1000 * i};
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, traces, BLOCKS));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

struct step {
    struct asnap_snapshot *snapshot;
    enum asnap_export_format format;
    const char *path;
    struct asnap_report_options report; /* for formats that need a page */
};

static struct asnap_error *export_step(void *context)
{
    struct step *step = context;
    struct asnap_export_options options = {.report = &step->report};
    return asnap_export(step->snapshot, step->format, &options, step->path);
}

/* Calls for each format that needs no graph. */
static void each(void (*check)(struct step *step))
{
    struct asnap_report_options report = {.page = report_page_path()};
    struct step step = {make_snapshot(), 0, dump_path("out.file"), report};
    const struct asnap_export_description *description;
    int checked = 0;
    for (int i = 0; (description = asnap_export_describe((enum asnap_export_format)i)) != NULL;
         i++) {
        step.format = (enum asnap_export_format)i;
        if (description->needs_graph)
            continue;
        check(&step);
        checked++;
    }
    CU_ASSERT(checked > 2);
    asnap_snapshot_destroy(step.snapshot);
}

static void check_same(struct step *step)
{
    struct stat status;
    size_t sizes[2];
    unsigned char *bytes[2];
    for (int i = 0; i < 2; i++) {
        ASNAP_ASSERT_OK(export_step(step));
        bytes[i] = dump_bytes(step->path, &sizes[i]);
        CU_ASSERT_EQUAL_FATAL(stat(step->path, &status), 0);
        CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
        CU_ASSERT_EQUAL_FATAL(remove(step->path), 0);
    }
    CU_ASSERT(sizes[0] > 0 && sizes[0] == sizes[1]);
    CU_ASSERT(memcmp(bytes[0], bytes[1], sizes[0]) == 0);
    free(bytes[0]);
    free(bytes[1]);
}

ASNAP_TEST(export_formats, same_file_each_time_for_its_owner)
{
    each(check_same);
}

static void check_no_memory(struct step *step)
{
    CU_ASSERT(asnap_unit_sweep(export_step, step) > 2);
}

ASNAP_TEST(export_formats, no_memory)
{
    each(check_no_memory);
}

static void check_no_directory(struct step *step)
{
    struct step missing = {step->snapshot, step->format, "/nonexistent/file", step->report};
    size_t files = dump_file_count();
    ASNAP_ASSERT_ERROR(export_step(&missing), ASNAP_ERROR_IO);
    CU_ASSERT_EQUAL(dump_file_count(), files);
}

ASNAP_TEST(export_formats, no_directory)
{
    each(check_no_directory);
}

static void check_no_file(struct step *step)
{
    struct step full = {step->snapshot, step->format, "/dev/full", step->report};
    ASNAP_ASSERT_ERROR(export_step(&full), ASNAP_ERROR_IO);
}

ASNAP_TEST(export_formats, no_regular_file)
{
    each(check_no_file);
}

static bool stop(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)step;
    (void)done;
    (void)total;
    ++*(int *)context;
    return false;
}

static void check_interrupted(struct step *step)
{
    int asked = 0;
    struct asnap_progress progress = {stop, &asked};
    struct asnap_export_options options = {.progress = &progress, .report = &step->report};
    size_t files = dump_file_count();
    /* It has no steps. */
    if (step->format == ASNAP_EXPORT_TRACEMALLOC)
        return;
    ASNAP_ASSERT_ERROR(asnap_export(step->snapshot, step->format, &options, step->path),
                       ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_EQUAL(asked, 1);
    CU_ASSERT_EQUAL(dump_file_count(), files);
}

ASNAP_TEST(export_formats, interrupted)
{
    each(check_interrupted);
}
