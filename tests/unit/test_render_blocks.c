#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_model_heap.h"

/* Three blocks of two stacks; domain 7 has a name. */
static struct asnap_error *build(const char *note, struct asnap_snapshot **snapshot)
{
    static const struct asnap_frame frames[] = {{"/s/a.c", "f", 1, true, 0},
                                                {"/s/m.c", "main", 9, false, 0},
                                                {"/s/b.c", NULL, 2, false, 0}};
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    uint32_t ids[3], stacks[2];
    for (size_t i = 0; error == NULL && i < 3; i++)
        error = asnap_builder_frame(builder, &frames[i], 0, ASNAP_NO_MAPPING, &ids[i]);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids, 2, 4, &stacks[0]);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids + 2, 1, 0, &stacks[1]);
    if (error == NULL) {
        struct asnap_trace traces[] = {{0x2000, 16, stacks[1], 3, 0, 0},
                                       {0x1000, 5000, stacks[0], 7, 0, 0},
                                       {0x1f00, 16, stacks[0], 0, 0, 0}};
        error = asnap_builder_traces(builder, traces, 3);
    }
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 7, "old name");
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 5, "other");
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 7, "pool\x01");
    if (error == NULL && note != NULL)
        error = asnap_builder_note(builder, note);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

static struct asnap_snapshot *blocks(const char *note)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(build(note, &snapshot));
    return snapshot;
}

/* Takes the text and the snapshot away. */
static void check(struct asnap_snapshot *snapshot, char *text, const char *wanted)
{
    CU_ASSERT_STRING_EQUAL(text, wanted);
    if (strcmp(text, wanted) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
    asnap_snapshot_destroy(snapshot);
}

static void check_traces(const char *note, size_t limit, const char *wanted)
{
    struct asnap_snapshot *snapshot = blocks(note);
    struct asnap_render_options options = {.limit = limit};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    check(snapshot, text, wanted);
}

static void check_who(uint64_t address, const char *wanted)
{
    struct asnap_snapshot *snapshot = blocks(NULL);
    struct asnap_render_options options = {.limit = 1};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, address, ASNAP_FORMAT_TEXT, &options, &text));
    check(snapshot, text, wanted);
}

ASNAP_TEST(render_blocks, all)
{
    check_traces(NULL, 0,
                 "3 blocks, by size\n"
                 "#1: 0x1000: size=5000 B, domain=7 (pool\\x01), at /s/a.c:1 in f\n"
                 "#2: 0x1f00: size=16 B, at /s/a.c:1 in f\n"
                 "#3: 0x2000: size=16 B, domain=3, at /s/b.c:2\n"
                 "Total: size=5032 B, count=3\n");
}

ASNAP_TEST(render_blocks, some)
{
    check_traces("incomplete", 1,
                 "warning: incomplete\n"
                 "Top 1 of 3 blocks, by size\n"
                 "#1: 0x1000: size=5000 B, domain=7 (pool\\x01), at /s/a.c:1 in f\n"
                 "2 other: size=32 B, count=2\n"
                 "Total: size=5032 B, count=3\n");
}

ASNAP_TEST(render_blocks, none)
{
    struct asnap_snapshot *snapshot = heap_snapshot(NULL, 0);
    struct asnap_render_options options = {.limit = 0};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    check(snapshot, text, "No live traced blocks.\n");
    snapshot = heap_snapshot(NULL, 0);
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, &options, &text));
    check(snapshot, text,
          "{\"traces\":[],\"rows\":0,\"total\":{\"size\":0,\"count\":0},\"start\":null,\"notes\":[]"
          "}\n");
}

#define FRAME_F                                                                                    \
    "{\"filename\":\"/s/"                                                                          \
    "a.c\",\"lineno\":1,\"function\":\"f\",\"inlined\":true,\"named_by\":\"inline\",\"module\":"   \
    "null,\"build_id\":null,\"offset\":null}"
#define FRAME_MAIN                                                                                 \
    "{\"filename\":\"/s/"                                                                          \
    "m.c\",\"lineno\":9,\"function\":\"main\",\"inlined\":false,\"named_by\":\"line "              \
    "table\",\"module\":null,\"build_id\":null,\"offset\":null}"
#define NO_ORIGIN "\"thread\":null,\"thread_label\":null,\"time\":null,"
#define LARGEST                                                                                    \
    "{\"address\":4096,\"size\":5000,\"domain\":7,\"domain_name\":\"pool\\u0001\"," NO_ORIGIN      \
    "\"traceback\":[" FRAME_F "," FRAME_MAIN "],\"total_nframe\":4}"

ASNAP_TEST(render_blocks, json)
{
    struct asnap_snapshot *snapshot = blocks("incomplete");
    struct asnap_render_options options = {.limit = 2};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, &options, &text));
    check(snapshot, text,
          "{\"traces\":[" LARGEST ",{\"address\":7936,\"size\":16,\"domain\":0,"
          "\"domain_name\":null," NO_ORIGIN "\"traceback\":[" FRAME_F "," FRAME_MAIN
          "],\"total_nframe\":4}],"
          "\"rows\":3,\"other\":{\"rows\":1,\"size\":16,\"count\":1},"
          "\"total\":{\"size\":5032,\"count\":3},\"start\":null,\"notes\":[\"incomplete\"]}\n");
}

ASNAP_TEST(render_blocks, who)
{
    check_who(0x1010, "0x1010: 16 bytes into the block at 0x1000, size=5000 B, "
                      "domain=7 (pool\\x01)\n"
                      "    at /s/a.c:1 in f (inlined)\n"
                      "    at /s/m.c:9 in main\n"
                      "    ... 2 older frames beyond the limit\n");
    check_who(0x2000, "0x2000: a block, size=16 B, domain=3\n"
                      "    at /s/b.c:2\n");
    check_who(0x2390, "0x2390: in no live traced block: it was freed, or never traced\n");
}

ASNAP_TEST(render_blocks, older_frames_that_were_not_counted)
{
    static const struct heap_blocks heap[] = {
        {.size = 16,
         .count = 1,
         .total_nframe = ASNAP_TOTAL_UNKNOWN,
         .stack = {{"/s/m.c", "main", 9, false, 0}}},
    };
    struct asnap_snapshot *snapshot = heap_snapshot(heap, 1);
    struct asnap_render_options options = {.limit = 1};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 0x1000, ASNAP_FORMAT_TEXT, &options, &text));
    check(snapshot, text,
          "0x1000: a block, size=16 B\n"
          "    at /s/m.c:9 in main\n"
          "    ... older frames not counted\n");
    snapshot = heap_snapshot(heap, 1);
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, &options, &text));
    check(snapshot, text,
          "{\"traces\":[{\"address\":4096,\"size\":16,\"domain\":0,"
          "\"domain_name\":null," NO_ORIGIN "\"traceback\":[" FRAME_MAIN
          "],\"total_nframe\":null}],"
          "\"rows\":1,\"total\":{\"size\":16,\"count\":1},\"start\":null,\"notes\":[]}\n");
}

#define STACK                                                                                      \
    "    at /s/a.c:1 in f (inlined)\n    at /s/m.c:9 in main\n"                                    \
    "    ... 2 older frames beyond the limit\n"

ASNAP_TEST(render_blocks, who_after_the_end)
{
    check_who(0x2388, "0x2388: in no live traced block, at the end of the block at 0x1000, "
                      "size=5000 B, domain=7 (pool\\x01)\n" STACK);
    check_who(0x2389, "0x2389: in no live traced block, 1 byte after the end of the block at "
                      "0x1000, size=5000 B, domain=7 (pool\\x01)\n" STACK);
    check_who(0x238f, "0x238f: in no live traced block, 7 bytes after the end of the block at "
                      "0x1000, size=5000 B, domain=7 (pool\\x01)\n" STACK);
    check_who(0, "0x0: in no live traced block: it was freed, or never traced\n");
}

static const struct asnap_region regions[] = {
    {.start = 0x3000, .end = 0x4000, .path = "/lib/a.so"},
    {.start = 0x4000, .end = 0x5000, .path = ""},
    {.start = 0x5000, .end = 0x6000, .path = "[heap]"},
    {.start = 0x6000, .end = 0x7000, .path = "[stack]"},
    {.start = 0x8000, .end = UINT64_MAX},
};

ASNAP_TEST(render_blocks, who_on_the_map)
{
    static const struct {
        uint64_t address;
        const char *text;
        const char *json;
    } cases[] = {
        {0x2fff, "0x2fff: in no live traced block: nothing is mapped there\n", "\"mapping\":null,"},
        {0x3000, "0x3000: in no live traced block: it is in /lib/a.so\n",
         "\"mapping\":{\"start\":12288,\"end\":16384,\"path\":\"/lib/a.so\"},"},
        {0x4000, "0x4000: in no live traced block: it was freed, or never traced\n",
         "\"mapping\":{\"start\":16384,\"end\":20480,\"path\":null},"},
        {0x5fff, "0x5fff: in no live traced block: it was freed, or never traced\n",
         "\"path\":\"[heap]\"},"},
        {0x6000, "0x6000: in no live traced block: it is in [stack]\n", "\"path\":\"[stack]\"},"},
        {0x7000, "0x7000: in no live traced block: nothing is mapped there\n", "\"mapping\":null,"},
        {0x9000, "0x9000: in no live traced block: it was freed, or never traced\n",
         "\"path\":null},"},
    };
    struct asnap_render_options options = {.regions = regions, .region_count = 5};
    struct asnap_snapshot *snapshot = blocks(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        ASNAP_ASSERT_OK(
            asnap_render_who(snapshot, cases[i].address, ASNAP_FORMAT_TEXT, &options, &text));
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
        asnap_string_destroy(text);
        ASNAP_ASSERT_OK(
            asnap_render_who(snapshot, cases[i].address, ASNAP_FORMAT_JSON, &options, &text));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, cases[i].json));
        asnap_string_destroy(text);
    }
    asnap_snapshot_destroy(snapshot);
}

/* What is said of a place counts only where something is mapped, and no block is. */
ASNAP_TEST(render_blocks, who_at_a_place)
{
    static const struct {
        uint64_t address;
        const char *end;
        bool is_said;
    } cases[] = {
        {0x2fff, ": nothing is mapped there\n", false},
        {0x3000, ": it is in section .data of a.so: x\\x1b+8\n", true},
        {0x4000, ": it is in section .data of a.so: x\\x1b+8\n", true},
        {0x6000, ": it is in section .data of a.so: x\\x1b+8\n", true},
        {0x1001, NULL, false},
    };
    struct asnap_render_options options = {.regions = regions, .region_count = 5};
    options.place = "it is in section .data of a.so: x\x1b+8";
    struct asnap_snapshot *snapshot = blocks(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        ASNAP_ASSERT_OK(
            asnap_render_who(snapshot, cases[i].address, ASNAP_FORMAT_TEXT, &options, &text));
        const char *end = strrchr(text, ':');
        if (cases[i].is_said)
            end = strstr(text, ": it is");
        if (cases[i].end != NULL)
            CU_ASSERT_STRING_EQUAL(end, cases[i].end);
        CU_ASSERT_EQUAL(strstr(text, "it is in") != NULL, cases[i].is_said);
        asnap_string_destroy(text);
        ASNAP_ASSERT_OK(
            asnap_render_who(snapshot, cases[i].address, ASNAP_FORMAT_JSON, &options, &text));
        const char *wanted = cases[i].is_said ? ",\"place\":\"it is in section .data of a.so: x"
                                                "\\u001b+8\","
                                              : ",\"place\":null,";
        CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
        asnap_string_destroy(text);
    }
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(render_blocks, who_json)
{
    struct asnap_snapshot *snapshot = blocks(NULL);
    struct asnap_render_options options = {0};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 0x1001, ASNAP_FORMAT_JSON, &options, &text));
    check(snapshot, text,
          "{\"address\":4097,\"trace\":" LARGEST
          ",\"offset\":1,\"reach\":null,\"start\":null,\"notes\":[]}\n");
    snapshot = blocks("incomplete");
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 7, ASNAP_FORMAT_JSON, &options, &text));
    check(snapshot, text,
          "{\"address\":7,\"trace\":null,\"offset\":null,\"reach\":null,\"start\":null,\"notes\":["
          "\"incomplete\"]}\n");
}

ASNAP_TEST(render_blocks, who_json_after_the_end)
{
    struct asnap_snapshot *snapshot = blocks(NULL);
    struct asnap_render_options options = {0};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 0x2389, ASNAP_FORMAT_JSON, &options, &text));
    check(snapshot, text,
          "{\"address\":9097,\"trace\":null,\"offset\":null,\"reach\":null,\"near\":" LARGEST
          ",\"start\":null,\"notes\":[]}\n");
}

ASNAP_TEST(render_blocks, no_such_format)
{
    struct asnap_snapshot *snapshot = blocks(NULL);
    struct asnap_render_options options = {0};
    char *text = NULL;
    struct asnap_error *error =
        asnap_render_traces(snapshot, (enum asnap_format)2, &options, &text);
    CU_ASSERT_STRING_EQUAL(asnap_error_message(error),
                           "no output format 2: there are formats 0 to 1");
    ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_INVALID_ARGUMENT);
    error = asnap_render_who(snapshot, 7, (enum asnap_format)2, &options, &text);
    CU_ASSERT_STRING_EQUAL(asnap_error_message(error),
                           "no output format 2: there are formats 0 to 1");
    ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(text);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(render_blocks, source_lines)
{
    static const char source[] = "#include <stdio.h>\n";
    char path[] = "/tmp/allocsnap-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_EQUAL_FATAL(write(fd, source, strlen(source)), (ssize_t)strlen(source));
    close(fd);
    struct asnap_frame frame = {.filename = path, .lineno = 1};
    struct heap_blocks one = {.size = 8, .count = 1, .stack = {frame}};
    struct asnap_snapshot *snapshot = heap_snapshot(&one, 1);
    struct asnap_render_options options = {.source_lines = true};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ":1\n    #include <stdio.h>\nTotal"));
    asnap_string_destroy(text);
    ASNAP_ASSERT_OK(asnap_render_who(snapshot, 0x1000, ASNAP_FORMAT_TEXT, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ":1\n        #include <stdio.h>\n"));
    asnap_string_destroy(text);
    asnap_snapshot_destroy(snapshot);
    unlink(path);
}

ASNAP_TEST(render_blocks, domain_names)
{
    struct asnap_snapshot *snapshot = blocks(NULL);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_domain_name(snapshot, 5), "other");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_domain_name(snapshot, 7), "pool\x01");
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_domain_count(snapshot), 2);
    CU_ASSERT_EQUAL(asnap_snapshot_domain(snapshot, 0), 5);
    CU_ASSERT_EQUAL(asnap_snapshot_domain(snapshot, 1), 7);
    CU_ASSERT_PTR_NULL(asnap_snapshot_domain_name(snapshot, 0));
    CU_ASSERT_PTR_NULL(asnap_snapshot_domain_name(snapshot, 6));
    CU_ASSERT_PTR_NULL(asnap_snapshot_domain_name(snapshot, 8));
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_error *render_all(void *context)
{
    const struct asnap_render_options *options = context;
    struct asnap_snapshot *snapshot = NULL;
    char *texts[4] = {NULL};
    struct asnap_error *error = build("a note", &snapshot);
    if (error == NULL)
        error = asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, options, &texts[0]);
    if (error == NULL)
        error = asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, options, &texts[1]);
    if (error == NULL)
        error = asnap_render_who(snapshot, 0x1010, ASNAP_FORMAT_TEXT, options, &texts[2]);
    if (error == NULL)
        error = asnap_render_who(snapshot, 0x1010, ASNAP_FORMAT_JSON, options, &texts[3]);
    CU_ASSERT((error == NULL) == (texts[3] != NULL));
    for (size_t i = 0; i < 4; i++)
        asnap_string_destroy(texts[i]);
    asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(render_blocks, survives_every_failed_allocation)
{
    struct asnap_render_options options = {.limit = 2};
    CU_ASSERT(asnap_unit_sweep(render_all, &options) > 35);
}
