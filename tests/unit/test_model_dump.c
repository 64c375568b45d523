#include "test_model_dump.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump_format.h"
#include "dump_repair.h"
#include "test_model_heap.h"

static void dump(const struct asnap_snapshot *snapshot, const char *path)
{
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
}

static struct asnap_snapshot *load(const char *path)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_load(path, &snapshot));
    return snapshot;
}

static bool same_text(const char *left, const char *right)
{
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static void check_frames(const struct asnap_snapshot *left, const struct asnap_snapshot *right)
{
    size_t count = asnap_snapshot_frame_count(left);
    CU_ASSERT_EQUAL_FATAL(count, asnap_snapshot_frame_count(right));
    for (uint32_t i = 0; i < count; i++) {
        struct asnap_frame a = asnap_snapshot_frame(left, i);
        struct asnap_frame b = asnap_snapshot_frame(right, i);
        CU_ASSERT(same_text(a.filename, b.filename) && same_text(a.function, b.function) &&
                  a.lineno == b.lineno && a.inlined == b.inlined && a.named_by == b.named_by);
        CU_ASSERT_EQUAL(asnap_snapshot_frame_address(left, i),
                        asnap_snapshot_frame_address(right, i));
        CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(left, i),
                        asnap_snapshot_frame_mapping(right, i));
        CU_ASSERT_EQUAL(asnap_snapshot_place(left, i).offset,
                        asnap_snapshot_place(right, i).offset);
    }
    size_t id_count = asnap_snapshot_frame_id_count(left);
    CU_ASSERT_EQUAL_FATAL(id_count, asnap_snapshot_frame_id_count(right));
    CU_ASSERT_EQUAL(memcmp(asnap_snapshot_frame_ids(left), asnap_snapshot_frame_ids(right),
                           id_count * sizeof(uint32_t)),
                    0);
}

static void check_traces(const struct asnap_snapshot *left, const struct asnap_snapshot *right)
{
    const struct asnap_trace *a = NULL;
    const struct asnap_trace *b = NULL;
    CU_ASSERT_EQUAL(asnap_snapshot_size(left), asnap_snapshot_size(right));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_count(left), asnap_snapshot_count(right));
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(left), asnap_snapshot_traceback_limit(right));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(left, &a));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(right, &b));
    CU_ASSERT_EQUAL(memcmp(a, b, asnap_snapshot_count(left) * sizeof(*a)), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_start_time(left), asnap_snapshot_start_time(right));
    size_t thread_count = asnap_snapshot_thread_count(left);
    CU_ASSERT_EQUAL_FATAL(thread_count, asnap_snapshot_thread_count(right));
    for (uint32_t i = 0; i < thread_count; i++)
        CU_ASSERT_EQUAL(asnap_snapshot_thread(left, i), asnap_snapshot_thread(right, i));
    size_t count = asnap_snapshot_traceback_count(left);
    CU_ASSERT_EQUAL_FATAL(count, asnap_snapshot_traceback_count(right));
    CU_ASSERT_EQUAL(memcmp(asnap_snapshot_tracebacks(left), asnap_snapshot_tracebacks(right),
                           count * sizeof(struct asnap_traceback)),
                    0);
}

static void check_lists(const struct asnap_snapshot *left, const struct asnap_snapshot *right)
{
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(left), asnap_snapshot_note_count(right));
    for (size_t i = 0; i < asnap_snapshot_note_count(left); i++)
        CU_ASSERT_STRING_EQUAL(asnap_snapshot_note(left, i), asnap_snapshot_note(right, i));
    for (uint32_t i = 0; i < 12; i++)
        CU_ASSERT(
            same_text(asnap_snapshot_domain_name(left, i), asnap_snapshot_domain_name(right, i)));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_mapping_count(left), asnap_snapshot_mapping_count(right));
    for (size_t i = 0; i < asnap_snapshot_mapping_count(left); i++) {
        struct asnap_mapping a = asnap_snapshot_mapping(left, i);
        struct asnap_mapping b = asnap_snapshot_mapping(right, i);
        CU_ASSERT(a.start == b.start && a.end == b.end && a.file_offset == b.file_offset);
        CU_ASSERT(same_text(a.path, b.path) && same_text(a.build_id, b.build_id));
    }
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_attribute_count(left),
                          asnap_snapshot_attribute_count(right));
    for (size_t i = 0; i < asnap_snapshot_attribute_count(left); i++) {
        struct asnap_attribute a = asnap_snapshot_attribute(left, i);
        struct asnap_attribute b = asnap_snapshot_attribute(right, i);
        CU_ASSERT(same_text(a.name, b.name) && same_text(a.value, b.value));
    }
}

static bool same_statistics(const struct asnap_snapshot *left, const struct asnap_snapshot *right)
{
    bool same = true;
    for (enum asnap_key key = ASNAP_KEY_FILENAME; key <= ASNAP_KEY_TRACEBACK; key++) {
        struct asnap_statistics *rows[2] = {NULL};
        char *texts[2] = {NULL};
        const struct asnap_render_options options = {0};
        ASNAP_ASSERT_OK(asnap_statistics_create(left, key, false, &rows[0]));
        ASNAP_ASSERT_OK(asnap_statistics_create(right, key, false, &rows[1]));
        for (size_t i = 0; i < 2; i++)
            ASNAP_ASSERT_OK(
                asnap_render_statistics(rows[i], ASNAP_FORMAT_JSON, &options, &texts[i]));
        same = same && strcmp(texts[0], texts[1]) == 0;
        for (size_t i = 0; i < 2; i++) {
            asnap_string_destroy(texts[i]);
            asnap_statistics_destroy(rows[i]);
        }
    }
    return same;
}

static void check_same_file(const char *left, const char *right)
{
    size_t sizes[2];
    unsigned char *files[2] = {dump_bytes(left, &sizes[0]), dump_bytes(right, &sizes[1])};
    CU_ASSERT_EQUAL_FATAL(sizes[0], sizes[1]);
    CU_ASSERT_EQUAL(memcmp(files[0], files[1], sizes[0]), 0);
    free(files[0]);
    free(files[1]);
}

ASNAP_TEST(model_dump, loads_what_was_dumped)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("first");
    dump(snapshot, path);
    struct asnap_snapshot *loaded = load(path);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(loaded), 77);
    check_traces(snapshot, loaded);
    check_frames(snapshot, loaded);
    check_lists(snapshot, loaded);
    CU_ASSERT(same_statistics(snapshot, loaded));
    const char *again = dump_path("second");
    dump(loaded, again);
    check_same_file(path, again);
    asnap_snapshot_destroy(snapshot);
    asnap_snapshot_destroy(loaded);
    snapshot = dump_snapshot();
    dump(snapshot, again);
    check_same_file(path, again);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_dump, empty)
{
    struct asnap_snapshot *snapshot = heap_snapshot(NULL, 0);
    const char *path = dump_path("empty");
    dump(snapshot, path);
    struct asnap_snapshot *loaded = load(path);
    check_traces(snapshot, loaded);
    check_frames(snapshot, loaded);
    check_lists(snapshot, loaded);
    CU_ASSERT(same_statistics(snapshot, loaded));
    size_t size;
    free(dump_bytes(path, &size));
    CU_ASSERT_EQUAL(size, sizeof(struct asnap_dump_header));
    asnap_snapshot_destroy(snapshot);
    asnap_snapshot_destroy(loaded);
}

static const struct heap_blocks partly_counted[] = {
    {.size = 8,
     .count = 2,
     .total_nframe = ASNAP_TOTAL_UNKNOWN,
     .stack = {{"/s/a.c", "f", 1, false, 0}}},
    {.size = 8, .count = 1, .total_nframe = 1, .stack = {{"/s/a.c", "f", 1, false, 0}}},
    {.size = 9, .count = 1, .total_nframe = 65535, .stack = {{"/s/b.c", "g", 2, false, 0}}},
};

ASNAP_TEST(model_dump, frames_that_were_not_counted_stay_unknown)
{
    struct asnap_snapshot *snapshot = heap_snapshot(partly_counted, 3);
    struct asnap_snapshot *filtered = NULL;
    const struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/a.c"};
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    const char *path = dump_path("unknown");
    dump(snapshot, path);
    struct asnap_snapshot *loaded = load(path);
    check_traces(snapshot, loaded);
    CU_ASSERT(same_statistics(snapshot, loaded));
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(snapshot);
    dump(filtered, path);
    asnap_snapshot_destroy(filtered);
    loaded = load(path);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_traceback_count(loaded), 2);
    CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(loaded)[0].total_nframe, ASNAP_TOTAL_UNKNOWN);
    CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(loaded)[1].total_nframe, 1);
    asnap_snapshot_destroy(loaded);
}

/* Says that a file is of format 2, and loads it. */
static struct asnap_error *load_as_version_2(const char *path, struct asnap_snapshot **snapshot)
{
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    ((struct asnap_dump_header *)bytes)->version = ASNAP_DUMP_VERSION_COUNTED;
    dump_repair(bytes, size);
    dump_write(path, bytes, size);
    free(bytes);
    return asnap_snapshot_load(path, snapshot);
}

ASNAP_TEST(model_dump, every_stack_is_counted_in_version_2)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    struct asnap_snapshot *loaded = NULL;
    const char *path = dump_path("version_2");
    dump(snapshot, path);
    ASNAP_ASSERT_OK(load_as_version_2(path, &loaded));
    check_traces(snapshot, loaded);
    check_frames(snapshot, loaded);
    check_lists(snapshot, loaded);
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(snapshot);
    snapshot = heap_snapshot(partly_counted, 3);
    dump(snapshot, path);
    asnap_snapshot_destroy(snapshot);
    ASNAP_ASSERT_ERROR(load_as_version_2(path, &loaded), ASNAP_ERROR_DAMAGED);
}

ASNAP_TEST(model_dump, loaded_snapshots_are_like_others)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("first");
    dump(snapshot, path);
    struct asnap_snapshot *loaded = load(path);
    const struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/a.c"};
    struct asnap_snapshot *filtered[2] = {NULL};
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &filter, 1, &filtered[0]));
    ASNAP_ASSERT_OK(asnap_snapshot_filter(loaded, &filter, 1, &filtered[1]));
    CU_ASSERT_EQUAL(asnap_snapshot_count(filtered[1]), 4);
    CU_ASSERT(same_statistics(filtered[0], filtered[1]));
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(asnap_diff_create(loaded, snapshot, ASNAP_KEY_TRACEBACK, false, &diff));
    CU_ASSERT_EQUAL(asnap_diff_count(diff), 3);
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).size_diff, 0);
    asnap_diff_destroy(diff);
    struct asnap_trace trace = {0};
    bool found = false;
    ASNAP_ASSERT_OK(asnap_snapshot_find(loaded, 0x1001, &found, &trace));
    CU_ASSERT(found && trace.size == 5000);
    asnap_snapshot_destroy(filtered[0]);
    asnap_snapshot_destroy(filtered[1]);
    asnap_snapshot_destroy(snapshot);
    asnap_snapshot_destroy(loaded);
}

ASNAP_TEST(model_dump, given_attributes_replace_those_of_the_snapshot)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("attributes");
    const struct asnap_attribute given[] = {{"b", "1"}, {"a", "\xff"}, {"b", "2"}};
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, given, 3));
    struct asnap_snapshot *loaded = load(path);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_attribute_count(loaded), 2);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(loaded, 0).name, "a");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(loaded, 0).value, "\xff");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(loaded, 1).value, "2");
    asnap_snapshot_destroy(loaded);
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, given, 0));
    loaded = load(path);
    CU_ASSERT_EQUAL(asnap_snapshot_attribute_count(loaded), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_attribute_count(snapshot), 2);
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_dump, filtered_snapshots_leave_out_what_they_do_not_need)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/a.c"};
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    asnap_snapshot_destroy(snapshot);
    const char *path = dump_path("filtered");
    dump(filtered, path);
    struct asnap_snapshot *loaded = load(path);
    CU_ASSERT_EQUAL(asnap_snapshot_count(loaded), 4);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_count(loaded), 1);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_count(loaded), 2);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(loaded), 77);
    const struct asnap_trace *kept = NULL;
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(filtered, &kept));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(loaded, &traces));
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(kept[i].address == traces[i].address && kept[i].domain == traces[i].domain &&
                  kept[i].thread == traces[i].thread && kept[i].time == traces[i].time);
    CU_ASSERT_EQUAL(asnap_snapshot_thread(loaded, 2), 4712);
    CU_ASSERT_EQUAL(asnap_snapshot_start_time(loaded), UINT64_C(1715954590123456789));
    CU_ASSERT_EQUAL(asnap_snapshot_place(loaded, 0).offset, 0x1000);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_place(loaded, 0).module, "/bin/server");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_place(loaded, 0).build_id, "c0ffee");
    CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(loaded, 0), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(loaded, 1), 2);
    check_lists(filtered, loaded);
    CU_ASSERT(same_statistics(filtered, loaded));
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    CU_ASSERT_PTR_NOT_NULL(memmem(bytes, size, "/s/a.c", 7));
    CU_ASSERT_PTR_NULL(memmem(bytes, size, "/s/b.c", 7));
    free(bytes);
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(filtered);
}

/* ---- files that cannot be written ---- */

/* Whether a dump to `path` fails with IO; says nothing else. */
static bool refuses(const struct asnap_snapshot *snapshot, const char *path)
{
    struct asnap_error *error = asnap_snapshot_dump(snapshot, path, NULL, 0);
    bool refused = error != NULL && asnap_error_code(error) == ASNAP_ERROR_IO &&
                   strchr(asnap_error_message(error), '\n') == NULL &&
                   strstr(asnap_error_message(error), path) != NULL;
    asnap_error_destroy(error);
    return refused;
}

ASNAP_TEST(model_dump, places_that_cannot_be_written_to)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *directory = dump_path("directory");
    CU_ASSERT_EQUAL_FATAL(mkdir(directory, 0700), 0);
    CU_ASSERT(refuses(snapshot, directory));
    rmdir(directory);
    const char *pipe = dump_path("pipe");
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    CU_ASSERT(refuses(snapshot, pipe));
    unlink(pipe);
    CU_ASSERT(refuses(snapshot, "/dev/null"));
    CU_ASSERT(refuses(snapshot, "/proc/allocsnap.dump"));
    CU_ASSERT(refuses(snapshot, "/nonexistent/allocsnap.dump"));
    CU_ASSERT(refuses(snapshot, ""));
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_dump, full_disk_leaves_the_old_file)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("full");
    dump_write(path, "old", 3);
    size_t before = dump_file_count();
    struct rlimit old_limit;
    getrlimit(RLIMIT_FSIZE, &old_limit);
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = old_limit.rlim_max};
    void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool refused = refuses(snapshot, path);
    setrlimit(RLIMIT_FSIZE, &old_limit);
    signal(SIGXFSZ, old_handler);
    CU_ASSERT(refused);
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    CU_ASSERT(size == 3 && memcmp(bytes, "old", 3) == 0);
    CU_ASSERT_EQUAL(dump_file_count(), before);
    free(bytes);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_dump, takes_the_place_of_the_old_file)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("old");
    dump_write(path, "old", 3);
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0640), 0);
    const char *link = dump_path("link");
    CU_ASSERT_EQUAL_FATAL(symlink("old", link), 0);
    size_t before = dump_file_count();
    dump(snapshot, link);
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(lstat(link, &status), 0);
    CU_ASSERT(S_ISLNK(status.st_mode));
    CU_ASSERT_EQUAL_FATAL(stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0640);
    asnap_snapshot_destroy(load(path));
    CU_ASSERT_EQUAL(dump_file_count(), before);
    asnap_snapshot_destroy(snapshot);
}

/* ---- allocation failures ---- */

static struct asnap_error *dump_and_load(void *context)
{
    const struct asnap_filter *filter = context;
    const struct asnap_attribute attributes[] = {{"b", "1"}, {"a", "2"}, {"b", "3"}};
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_snapshot *filtered = NULL;
    struct asnap_snapshot *loaded = NULL;
    char path[512];
    snprintf(path, sizeof(path), "%s", dump_path("sweep"));
    struct asnap_error *error = dump_try(&snapshot);
    if (error == NULL)
        error = asnap_snapshot_filter(snapshot, filter, 1, &filtered);
    if (error == NULL)
        error = asnap_snapshot_dump(filtered, path, attributes, 3);
    if (error == NULL)
        error = asnap_snapshot_dump_tracemalloc(filtered, path, attributes, 3);
    if (error == NULL)
        error = asnap_snapshot_dump(snapshot, path, NULL, 0);
    if (error == NULL)
        error = asnap_snapshot_load(path, &loaded);
    CU_ASSERT((error == NULL) == (loaded != NULL));
    asnap_snapshot_destroy(snapshot);
    asnap_snapshot_destroy(filtered);
    asnap_snapshot_destroy(loaded);
    return error;
}

ASNAP_TEST(model_dump, survives_every_failed_allocation)
{
    struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/a.c"};
    dump_path("sweep");
    size_t before = dump_file_count();
    CU_ASSERT(asnap_unit_sweep(dump_and_load, &filter) > 150);
    dump_path("sweep");
    CU_ASSERT_EQUAL(dump_file_count(), before);
}
