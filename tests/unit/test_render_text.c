#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static char *render(const struct heap_blocks *blocks, size_t count, const char *note,
                    enum asnap_key key, bool cumulative, struct asnap_render_options options)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(heap_try(blocks, count, note, &snapshot));
    struct asnap_statistics *statistics = heap_statistics(snapshot, key, cumulative);
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_statistics_destroy(statistics);
    return text;
}

/* Asserts the text of statistics, with no more than `limit` rows and no source. */
static void expect_text(const struct heap_blocks *blocks, size_t count, enum asnap_key key,
                        bool cumulative, size_t limit, const char *expected)
{
    struct asnap_render_options options = {.limit = limit};
    char *text = render(blocks, count, NULL, key, cumulative, options);
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
}

#define EXPECT(BLOCKS, KEY, CUMULATIVE, LIMIT, TEXT)                                               \
    expect_text((BLOCKS), COUNT(BLOCKS), (KEY), (CUMULATIVE), (LIMIT), (TEXT))

static const struct heap_blocks server[] = {
    {.size = 2048,
     .count = 100,
     .stack = {{"/src/server.c", "handle_request", 41, false, 0},
               {"/src/main.c", "main", 9, false, 0}}},
    {.size = 2048,
     .count = 1,
     .stack = {{"/src/server.c", "copy", 41, true, 0},
               {"/src/server.c", "handle_request", 60, false, 0},
               {"/src/main.c", "main", 9, false, 0}},
     .total_nframe = 15},
    {.size = 10, .count = 3, .stack = {{"/src/main.c", "main", 7, false, 0}}},
    {.size = 5, .count = 1, .stack = {{"/lib/libx.so", "x_init", 0, false, 0}}},
};

ASNAP_TEST(render_text, all_lines)
{
    EXPECT(server, ASNAP_KEY_LINENO, false, 0,
           "3 lines, by size\n"
           "#1: /src/server.c:41: size=202 KiB, count=101, average=2048 B, in handle_request (and "
           "1 other)\n"
           "#2: /src/main.c:7: size=30 B, count=3, average=10 B, in main\n"
           "#3: /lib/libx.so:0: size=5 B, count=1, average=5 B, in x_init\n"
           "Total: size=202 KiB, count=105\n");
}

ASNAP_TEST(render_text, some_lines)
{
    EXPECT(server, ASNAP_KEY_LINENO, false, 1,
           "Top 1 of 3 lines, by size\n"
           "#1: /src/server.c:41: size=202 KiB, count=101, average=2048 B, in handle_request (and "
           "1 other)\n"
           "2 other: size=35 B, count=4\n"
           "Total: size=202 KiB, count=105\n");
    EXPECT(server, ASNAP_KEY_LINENO, false, 3,
           "3 lines, by size\n"
           "#1: /src/server.c:41: size=202 KiB, count=101, average=2048 B, in handle_request (and "
           "1 other)\n"
           "#2: /src/main.c:7: size=30 B, count=3, average=10 B, in main\n"
           "#3: /lib/libx.so:0: size=5 B, count=1, average=5 B, in x_init\n"
           "Total: size=202 KiB, count=105\n");
}

ASNAP_TEST(render_text, files)
{
    EXPECT(server, ASNAP_KEY_FILENAME, false, 2,
           "Top 2 of 3 files, by size\n"
           "#1: /src/server.c:0: size=202 KiB, count=101, average=2048 B\n"
           "#2: /src/main.c:0: size=30 B, count=3, average=10 B\n"
           "1 other: size=5 B, count=1\n"
           "Total: size=202 KiB, count=105\n");
}

ASNAP_TEST(render_text, cumulative_rows_have_no_sum)
{
    EXPECT(server, ASNAP_KEY_FILENAME, true, 1,
           "Top 1 of 3 files, by size (cumulative: a block counts for each of its frames)\n"
           "#1: /src/server.c:0: size=204 KiB, count=102, average=2048 B (each block once: "
           "size=202 KiB, count=101)\n"
           "2 other\n"
           "Total: size=202 KiB, count=105\n");
}

ASNAP_TEST(render_text, tracebacks)
{
    EXPECT(server, ASNAP_KEY_TRACEBACK, false, 2,
           "Top 2 of 4 tracebacks, by size\n"
           "#1: /src/server.c:41: size=200 KiB, count=100, average=2048 B, in handle_request\n"
           "    at /src/server.c:41 in handle_request\n"
           "    at /src/main.c:9 in main\n"
           "#2: /src/server.c:41: size=2048 B, count=1, average=2048 B, in copy\n"
           "    at /src/server.c:41 in copy (inlined)\n"
           "    at /src/server.c:60 in handle_request\n"
           "    at /src/main.c:9 in main\n"
           "    ... 12 older frames beyond the limit\n"
           "2 other: size=35 B, count=4\n"
           "Total: size=202 KiB, count=105\n");
}

ASNAP_TEST(render_text, one_row)
{
    static const struct heap_blocks heap[] = {
        {.size = 5, .count = 2, .total_nframe = 2, .stack = {{"/a.so", NULL, 0, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_FILENAME, false, 0,
           "1 file, by size\n"
           "#1: /a.so:0: size=10 B, count=2, average=5 B\n"
           "Total: size=10 B, count=2\n");
    EXPECT(heap, ASNAP_KEY_TRACEBACK, false, 0,
           "1 traceback, by size\n"
           "#1: /a.so:0: size=10 B, count=2, average=5 B\n"
           "    at /a.so:0\n"
           "    ... 1 older frame beyond the limit\n"
           "Total: size=10 B, count=2\n");
}

ASNAP_TEST(render_text, older_frames_that_were_not_counted)
{
    static const struct heap_blocks heap[] = {
        {.size = 5,
         .count = 2,
         .total_nframe = ASNAP_TOTAL_UNKNOWN,
         .stack = {{"/a.c", "f", 3, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, 0,
           "1 line, by size\n"
           "#1: /a.c:3: size=10 B, count=2, average=5 B, in f\n"
           "Total: size=10 B, count=2\n");
    EXPECT(heap, ASNAP_KEY_TRACEBACK, false, 0,
           "1 traceback, by size\n"
           "#1: /a.c:3: size=10 B, count=2, average=5 B, in f\n"
           "    at /a.c:3 in f\n"
           "    ... older frames not counted\n"
           "Total: size=10 B, count=2\n");
}

ASNAP_TEST(render_text, functions_beside_the_first)
{
    static const struct heap_blocks heap[] = {
        {.size = 5, .count = 1, .stack = {{"/t.h", "c", 3, false, 0}}},
        {.size = 6, .count = 1, .stack = {{"/t.h", "b", 3, false, 0}}},
        {.size = 5, .count = 1, .stack = {{"/t.h", "a", 3, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, 0,
           "1 line, by size\n"
           "#1: /t.h:3: size=16 B, count=3, average=5 B, in b (and 2 others)\n"
           "Total: size=16 B, count=3\n");
}

ASNAP_TEST(render_text, nothing_traced)
{
    expect_text(NULL, 0, ASNAP_KEY_LINENO, false, 10, "No live traced blocks.\n");
}

ASNAP_TEST(render_text, notes_come_first)
{
    struct asnap_render_options options = {0};
    char *text = render(NULL, 0, "3 blocks\nwere dropped", ASNAP_KEY_LINENO, false, options);
    CU_ASSERT_STRING_EQUAL(text, "warning: 3 blocks\\x0awere dropped\nNo live traced blocks.\n");
    asnap_string_destroy(text);
}

ASNAP_TEST(render_text, names_never_reach_the_terminal_raw)
{
    static const struct heap_blocks heap[] = {
        {.size = 1, .count = 1, .stack = {{"/a\x1b[2J\n\x7f.c", "f\xc2\x9bm", 1, false, 0}}},
        {.size = 2, .count = 1, .stack = {{"/\xff\xc3.c", "\xe2\x80\xaeg", 1, false, 0}}},
        {.size = 3, .count = 1, .stack = {{"/\xc3\xa9\xf0\x9f\x90\x8d\\.c", "h", 1, false, 0}}},
        {.size = 4, .count = 1, .stack = {{"/\xc0\x80\xed\xa0\x80", "o", 1, false, 0}}},
        {.size = 5, .count = 1, .stack = {{"/\xf4\x90\x80\x80\xe2\x80", "p", 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, 0,
           "5 lines, by size\n"
           "#1: /\\xf4\\x90\\x80\\x80\\xe2\\x80:1: size=5 B, count=1, average=5 B, in p\n"
           "#2: /\\xc0\\x80\\xed\\xa0\\x80:1: size=4 B, count=1, average=4 B, in o\n"
           "#3: /\xc3\xa9\xf0\x9f\x90\x8d\\.c:1: size=3 B, count=1, average=3 B, in h\n"
           "#4: /\\xff\\xc3.c:1: size=2 B, count=1, average=2 B, in \\xe2\\x80\\xaeg\n"
           "#5: /a\\x1b[2J\\x0a\\x7f.c:1: size=1 B, count=1, average=1 B, in f\\xc2\\x9bm\n"
           "Total: size=15 B, count=5\n");
}

ASNAP_TEST(render_text, average_is_rounded_as_by_python)
{
    static const struct heap_blocks heap[] = {
        {.size = 2, .count = 1, .stack = {{"/a", NULL, 1, false, 0}}},
        {.size = 3, .count = 1, .stack = {{"/a", NULL, 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, 0,
           "1 line, by size\n"
           "#1: /a:1: size=5 B, count=2, average=2 B\n"
           "Total: size=5 B, count=2\n");
}

/* ---- source lines ---- */

static char directory[] = "/tmp/allocsnap-source-XXXXXX";

/* Writes a file into the tests' directory; returns its path, good until the next. */
static const char *write_file(const char *name, const char *contents, size_t length)
{
    static char path[256];
    if (strstr(directory, "XXXXXX") != NULL)
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(contents, 1, length, file), length);
    fclose(file);
    return path;
}

static void remove_file(const char *path)
{
    unlink(path);
    rmdir(directory);
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

/* The text of one block at a line of a file, without its first and last line and
 * without the row itself: what is shown of the source. */
static char *source_at(const char *path, uint32_t lineno, enum asnap_key key)
{
    struct heap_blocks heap = {.size = 1, .count = 1, .stack = {{path, NULL, lineno, false, 0}}};
    struct asnap_render_options options = {.source_lines = true};
    char *text = render(&heap, 1, NULL, key, false, options);
    char *begin = strstr(text, "average=1 B\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(begin);
    begin += strlen("average=1 B\n");
    char *end = strstr(begin, "Total:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    *end = '\0';
    memmove(text, begin, strlen(begin) + 1);
    return text;
}

static void expect_source(const char *path, uint32_t lineno, const char *expected)
{
    char *text = source_at(path, lineno, ASNAP_KEY_LINENO);
    CU_ASSERT_STRING_EQUAL(text, expected);
    asnap_string_destroy(text);
}

ASNAP_TEST(render_source, shows_the_line_without_white_space_around)
{
    static const char contents[] = "first\n\t copy = strdup(\tname); \r\n\n  \nlast";
    const char *path = write_file("a.c", contents, strlen(contents));
    expect_source(path, 1, "    first\n");
    expect_source(path, 2, "    copy = strdup( name);\n");
    expect_source(path, 3, "");
    expect_source(path, 4, "");
    expect_source(path, 5, "    last\n");
    expect_source(path, 6, "");
    expect_source(path, UINT32_MAX, "");
    char *text = source_at(path, 5, ASNAP_KEY_TRACEBACK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a.c:5\n        last\n"));
    asnap_string_destroy(text);
    remove_file(path);
}

ASNAP_TEST(render_source, ends_with_the_last_newline)
{
    const char *path = write_file("a.c", "only\n", 5);
    expect_source(path, 1, "    only\n");
    expect_source(path, 2, "");
    remove_file(path);
}

ASNAP_TEST(render_source, cuts_long_lines)
{
    char contents[400];
    memset(contents, 'x', sizeof(contents));
    contents[120] = '\n';
    const char *path = write_file("long.c", contents, sizeof(contents));
    char whole[4 + 120 + 2] = "    ";
    memset(whole + 4, 'x', 120);
    strcpy(whole + 124, "\n");
    expect_source(path, 1, whole);
    memcpy(whole + 121, "...", 3);
    expect_source(path, 2, whole);
    remove_file(path);
}

ASNAP_TEST(render_source, cuts_between_characters)
{
    char contents[300];
    for (size_t i = 0; i < sizeof(contents); i += 2)
        memcpy(contents + i, "\xc3\xa9", 2);
    const char *path = write_file("wide.c", contents, sizeof(contents));
    char expected[4 + 2 * 117 + 3 + 2] = "    ";
    memcpy(expected + 4, contents, 2 * 117);
    strcpy(expected + 4 + 2 * 117, "...\n");
    expect_source(path, 1, expected);
    remove_file(path);
}

ASNAP_TEST(render_source, escapes_control_characters)
{
    static const char contents[] = "a\x1b[31m\0\xff"
                                   "b\n";
    const char *path = write_file("bad.c", contents, sizeof(contents) - 1);
    expect_source(path, 1,
                  "    a\\x1b[31m\\x00\\xff"
                  "b\n");
    remove_file(path);
}

ASNAP_TEST(render_source, reads_regular_files_of_absolute_names_only)
{
    const char *path = write_file("fifo", "x\n", 2);
    expect_source("/", 1, "");
    expect_source("/dev/zero", 1, "");
    expect_source("/no/such/file.c", 1, "");
    expect_source("<unknown>", 1, "");
    CU_ASSERT_EQUAL_FATAL(chdir(directory), 0);
    expect_source("fifo", 1, "");
    CU_ASSERT_EQUAL(chdir("/"), 0);
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    expect_source(path, 1, "");
    remove_file(path);
}

ASNAP_TEST(render_source, leaves_out_files_that_are_empty_or_too_large)
{
    const char *path = write_file("large.c", "x\n", 2);
    CU_ASSERT_EQUAL(truncate(path, (16 << 20) + 1), 0);
    expect_source(path, 1, "");
    CU_ASSERT_EQUAL(truncate(path, 16 << 20), 0);
    expect_source(path, 1, "    x\n");
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    expect_source(path, 1, "");
    remove_file(path);
}

/* More files than are remembered, each asked twice. */
ASNAP_TEST(render_source, goes_through_many_files)
{
    struct heap_blocks heap[20];
    char paths[20][64];
    memset(heap, 0, sizeof(heap));
    for (size_t i = 0; i < 20; i++) {
        char name[16];
        char contents[32];
        snprintf(name, sizeof(name), "%zu.c", i % 10);
        snprintf(contents, sizeof(contents), "line %zu\nnext %zu\n", i % 10, i % 10);
        snprintf(paths[i], sizeof(paths[i]), "%s", write_file(name, contents, strlen(contents)));
        heap[i] = (struct heap_blocks){.size = 20 - i, .count = 1};
        heap[i].stack[0] =
            (struct asnap_frame){.filename = paths[i], .lineno = (uint32_t)(i / 10) + 1};
    }
    struct asnap_render_options options = {.source_lines = true};
    char *text = render(heap, 20, NULL, ASNAP_KEY_LINENO, false, options);
    char *place = text;
    for (size_t i = 0; i < 20; i++) {
        char expected[48];
        snprintf(expected, sizeof(expected), "\n    %s %zu\n#", i < 10 ? "line" : "next", i % 10);
        if (i == 19)
            expected[strlen(expected) - 1] = 'T';
        place = strstr(place, expected);
        CU_ASSERT_PTR_NOT_NULL_FATAL(place);
    }
    asnap_string_destroy(text);
    for (size_t i = 1; i < 10; i++)
        unlink(paths[i]);
    remove_file(paths[0]);
}

static struct asnap_error *make_text(void *context)
{
    const struct asnap_statistics *statistics = context;
    struct asnap_render_options options = {.source_lines = true};
    char *text = NULL;
    struct asnap_error *error =
        asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text);
    CU_ASSERT((error == NULL) == (text != NULL));
    asnap_string_destroy(text);
    return error;
}

ASNAP_TEST(render_text, survives_every_failed_allocation)
{
    const char *path = write_file("a.c", "first\n", 6);
    struct heap_blocks heap = {
        .size = 1, .count = 1, .stack = {{path, "f", 1, false, 0}, {"/none.c", "g", 1, false, 0}}};
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(heap_try(&heap, 1, NULL, &snapshot));
    struct asnap_statistics *statistics = heap_statistics(snapshot, ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT(asnap_unit_sweep(make_text, statistics) >= 5);
    asnap_statistics_destroy(statistics);
    remove_file(path);
}
