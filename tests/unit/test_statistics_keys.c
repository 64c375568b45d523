/* The keys beside tracemalloc's, and what is said of rows beside their numbers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "snapshot.h"
#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define SECOND ASNAP_TIMES_PER_SECOND

/* A stack: frames of one module each, most recent first. */
struct stack {
    struct {
        struct asnap_frame frame;
        uint32_t mapping;
    } frames[3];
    size_t depth;
};

static const struct stack stacks[] = {
    {{{{"/lib/x.c", "get", 4, false, 0}, 1}, {{"/src/m.c", "main", 9, false, 0}, 0}}, 2},
    {{{{"/lib/y.c", "get", 4, false, 0}, 2}, {{"/src/m.c", "main", 8, false, 0}, 0}}, 2},
    {{{{"/src/m.c", "main", 7, false, 0}, 0}}, 1},
    {{{{"<unknown>", NULL, 0, false, 0}, ASNAP_NO_MAPPING}}, 1},
};

/* The third mapping is of the second's file; the first thread's number comes twice. */
static const struct asnap_mapping mappings[] = {
    {0x1000, 0x2000, 0, "/bin/prog", "aa"},
    {0x3000, 0x4000, 0, "/lib/lib.so", "bb"},
    {0x5000, 0x6000, 0x1000, "/lib/lib.so", "bb"},
};
static const uint32_t threads[] = {0, 4711, 4712, 4711};

static const struct asnap_trace traces[] = {
    {0x10000, 64, 0, 0, 1, 0},
    {0x10100, 127, 0, 0, 3, 9 * SECOND},
    {0x10200, 128, 1, 0, 2, 90000 * SECOND},
    {0x10300, 0, 1, 0, 2, 90001 * SECOND - 1},
    {0x10400, 1, 2, 0, 0, ASNAP_TIME_UNKNOWN},
    {0x10500, 5000, 2, 0, 1, 90001 * SECOND},
    {0x10600, 20, 3, 7, 0, 89000 * SECOND},
};

static struct asnap_error *add_stacks(struct asnap_builder *builder)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < COUNT(mappings); i++)
        error = asnap_builder_mapping(builder, &mappings[i]);
    for (size_t i = 0; error == NULL && i < COUNT(stacks); i++) {
        uint32_t ids[3];
        uint32_t id;
        for (size_t j = 0; error == NULL && j < stacks[i].depth; j++)
            error = asnap_builder_frame(builder, &stacks[i].frames[j].frame, 0,
                                        stacks[i].frames[j].mapping, &ids[j]);
        if (error == NULL)
            error = asnap_builder_traceback(builder, ids, stacks[i].depth, 0, &id);
        CU_ASSERT(error != NULL || id == i);
    }
    return error;
}

static struct asnap_snapshot *keyed_snapshot(const struct asnap_trace *blocks, size_t count)
{
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(add_stacks(builder));
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, COUNT(threads)));
    ASNAP_ASSERT_OK(asnap_builder_start_time(builder, 1));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, blocks, count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

/* "SIZE COUNT LABEL", then the frame or the bounds of a row. */
static const char *row_text(const struct asnap_statistics *statistics, size_t index)
{
    static char text[512];
    char buffer[ASNAP_LABEL_SIZE];
    struct asnap_statistic row = asnap_statistics_row(statistics, index);
    const char *label = asnap_statistics_label(statistics, index, buffer);
    struct asnap_bounds bounds = asnap_statistics_bounds(statistics, index);
    int length =
        snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %s", row.size, row.count, label);
    CU_ASSERT_EQUAL(row.total_nframe, row.frame_count);
    if (row.frame_count == 0) {
        snprintf(text + length, sizeof(text) - (size_t)length, " [%" PRIu64 ", %" PRIu64 ")",
                 bounds.from, bounds.below);
        return text;
    }
    struct asnap_frame frame = asnap_statistics_frame(statistics, index, 0);
    CU_ASSERT_EQUAL(row.frame_count, 1);
    CU_ASSERT_EQUAL(frame.lineno, 0);
    snprintf(text + length, sizeof(text) - (size_t)length, " %s %s", frame.filename,
             frame.function == NULL ? "-" : frame.function);
    return text;
}

static void expect_rows(struct asnap_snapshot *snapshot, enum asnap_key key, bool cumulative,
                        const char *const *rows, size_t count)
{
    struct asnap_statistics *statistics = heap_statistics(snapshot, key, cumulative);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), count);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_STRING_EQUAL(row_text(statistics, i), rows[i]);
        if (strcmp(row_text(statistics, i), rows[i]) != 0)
            fprintf(stderr, "%s\n", row_text(statistics, i));
    }
    asnap_statistics_destroy(statistics);
}

#define EXPECT(KEY, CUMULATIVE, ...)                                                               \
    do {                                                                                           \
        static const char *const rows[] = {__VA_ARGS__};                                           \
        expect_rows(keyed_snapshot(traces, COUNT(traces)), (KEY), (CUMULATIVE), rows,              \
                    COUNT(rows));                                                                  \
    } while (0)

ASNAP_TEST(statistics_keys, the_table_names_each_key)
{
    static const char *const names[] = {"filename", "lineno", "traceback", "function", "module",
                                        "thread",   "age",    "size",      "type"};
    for (size_t i = 0; i < COUNT(names); i++)
        CU_ASSERT_STRING_EQUAL(asnap_key_describe((enum asnap_key)i)->name, names[i]);
    CU_ASSERT_PTR_NULL(asnap_key_describe((enum asnap_key)COUNT(names)));
}

ASNAP_TEST(statistics_keys, by_function_tells_files_apart)
{
    EXPECT(ASNAP_KEY_FUNCTION, false, "5001 2 main /src/m.c main", "191 2 get /lib/x.c get",
           "128 2 get /lib/y.c get", "20 1 <unknown> <unknown> -");
}

ASNAP_TEST(statistics_keys, by_function_cumulatively)
{
    EXPECT(ASNAP_KEY_FUNCTION, true, "5320 6 main /src/m.c main", "191 2 get /lib/x.c get",
           "128 2 get /lib/y.c get", "20 1 <unknown> <unknown> -");
}

ASNAP_TEST(statistics_keys, by_module_joins_its_mappings)
{
    EXPECT(ASNAP_KEY_MODULE, false, "5001 2 /bin/prog /bin/prog -",
           "319 4 /lib/lib.so /lib/lib.so -", "20 1 <unknown> <unknown> -");
    EXPECT(ASNAP_KEY_MODULE, true, "5320 6 /bin/prog /bin/prog -",
           "319 4 /lib/lib.so /lib/lib.so -", "20 1 <unknown> <unknown> -");
}

ASNAP_TEST(statistics_keys, by_thread_joins_equal_numbers)
{
    EXPECT(ASNAP_KEY_THREAD, false, "5191 3 thread 4711 [4711, 4712)",
           "128 2 thread 4712 [4712, 4713)", "21 2 unknown thread [0, 0)");
}

ASNAP_TEST(statistics_keys, by_age_counts_back_from_the_newest)
{
    EXPECT(ASNAP_KEY_AGE, false, "5000 2 < 1 s [0, 1)",
           "191 2 1 day or more [86400, "
           "18446744073709551615)",
           "128 1 1 s to < 10 s [1, 10)", "20 1 10 min to < 1 h [600, 3600)",
           "1 1 unknown age [0, 0)");
}

ASNAP_TEST(statistics_keys, by_size_goes_by_powers_of_two)
{
    EXPECT(ASNAP_KEY_SIZE, false, "5000 1 4 KiB to < 8 KiB [4096, 8192)",
           "191 2 64 B to < 128 B [64, 128)", "128 1 128 B to < 256 B [128, 256)",
           "20 1 16 B to < 32 B [16, 32)", "1 1 1 B [1, 2)", "0 1 0 B [0, 1)");
}

ASNAP_TEST(statistics_keys, the_largest_sizes)
{
    static const struct asnap_trace large[] = {
        {0x1000, UINT64_C(1) << 62, 0, 0, 0, 0},
        {0x2000, (UINT64_C(1) << 62) - 1, 0, 0, 0, 0},
    };
    static const char *const rows[] = {
        "4611686018427387904 1 4 EiB to < 8 EiB [4611686018427387904, 9223372036854775808)",
        "4611686018427387903 1 2 EiB to < 4 EiB [2305843009213693952, 4611686018427387904)",
    };
    expect_rows(keyed_snapshot(large, 2), ASNAP_KEY_SIZE, false, rows, 2);
}

/* Five of the blocks begin with vtables: two of one class, and one whose name is not known. */
static struct asnap_error *add_types(const struct asnap_snapshot *snapshot, bool newer)
{
    static const uint64_t addresses[] = {0x10000, 0x10100, 0x10200, 0x10500, 0x10600};
    static const uint32_t vtables[] = {0, 1, 2, 3, 3};
    static const char *const names[] = {"b::Name", "a::Name", "b::Name", NULL};
    static const char *const newer_names[] = {"b::Name", "c::Name", "b::Name", "d"};
    return asnap_types_create(snapshot->store, addresses, vtables, 5, newer ? newer_names : names,
                              4, &snapshot->store->types);
}

ASNAP_TEST(statistics_keys, by_type_then_by_size)
{
    static const char *const rows[] = {
        "5000 1 <no vtable>, 4 KiB to < 8 KiB [0, 0)",
        "192 2 b::Name [0, 0)",
        "127 1 a::Name [0, 0)",
        "20 1 <no vtable>, 16 B to < 32 B [0, 0)",
        "1 1 <no vtable>, 1 B [0, 0)",
        "0 1 <no vtable>, 0 B [0, 0)",
    };
    struct asnap_statistics *statistics = NULL;
    struct asnap_snapshot *snapshot = keyed_snapshot(traces, COUNT(traces));
    struct asnap_error *error =
        asnap_statistics_create(snapshot, ASNAP_KEY_TYPE, false, &statistics);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_UNSUPPORTED);
    asnap_error_destroy(error);
    ASNAP_ASSERT_OK(add_types(snapshot, false));
    expect_rows(snapshot, ASNAP_KEY_TYPE, false, rows, COUNT(rows));
}

/* What calls of operator new tell comes after vtables; a class's own operator new is passed over.
 */
ASNAP_TEST(statistics_keys, by_type_that_a_call_tells)
{
    static const struct asnap_frame frames[] = {
        {"a.cc", "Pool::operator new(unsigned long)", 3, false, 0},
        {"a.cc", "main", 4, false, 0},
        {"a.cc", "operators newer", 5, false, 0},
    };
    static const uint32_t stacks_of[][2] = {{0, 1}, {2, 1}};
    static const struct asnap_trace blocks[] = {
        {0x10000, 24, 0, 0, 0, 0},
        {0x10100, 24, 0, 0, 0, 0},
        {0x10200, 30, 1, 0, 0, 0},
    };
    static const char *const rows[] = {
        "30 1 <no vtable>, 16 B to < 32 B [0, 0)",
        "24 1 Pool [0, 0)",
        "24 1 Base [0, 0)",
    };
    static const uint64_t addresses[] = {0x10100};
    static const uint32_t vtables[] = {0};
    static const char *const names[] = {"Base"};
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    uint32_t id;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (size_t i = 0; i < COUNT(frames); i++)
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frames[i], i + 1, ASNAP_NO_MAPPING, &id));
    ASNAP_ASSERT_OK(asnap_builder_allocates(builder, 1, "Pool"));
    ASNAP_ASSERT_ERROR(asnap_builder_allocates(builder, 3, "Pool"), ASNAP_ERROR_INVALID_ARGUMENT);
    for (size_t i = 0; i < COUNT(stacks_of); i++)
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, stacks_of[i], 2, 0, &id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, blocks, COUNT(blocks)));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    ASNAP_ASSERT_OK(asnap_types_create(snapshot->store, addresses, vtables, 1, names, 1,
                                       &snapshot->store->types));
    expect_rows(snapshot, ASNAP_KEY_TYPE, false, rows, COUNT(rows));
}

/* Classes and sizes are what they are in both, whatever their numbers are in either. */
ASNAP_TEST(statistics_keys, differences_by_type)
{
    static const char *const rows[] = {
        "<no vtable>, 4 KiB to < 8 KiB -5000 -1",
        "d +5020 +2",
        "c::Name +127 +1",
        "a::Name -127 -1",
        "<no vtable>, 16 B to < 32 B -20 -1",
    };
    struct asnap_snapshot *old = keyed_snapshot(traces, COUNT(traces));
    struct asnap_snapshot *new = keyed_snapshot(traces, COUNT(traces));
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(add_types(old, false));
    ASNAP_ASSERT_OK(add_types(new, true));
    ASNAP_ASSERT_OK(asnap_diff_create(new, old, ASNAP_KEY_TYPE, false, &diff));
    size_t found = 0;
    for (size_t i = 0; i < asnap_diff_count(diff); i++) {
        char buffer[ASNAP_LABEL_SIZE];
        char text[128];
        struct asnap_statistic_diff row = asnap_diff_row(diff, i);
        snprintf(text, sizeof(text), "%s %+" PRId64 " %+" PRId64, asnap_diff_label(diff, i, buffer),
                 row.size_diff, row.count_diff);
        for (size_t j = 0; j < COUNT(rows); j++)
            found += strcmp(text, rows[j]) == 0;
        if (row.count_diff == 0)
            CU_ASSERT_EQUAL(row.size_diff, 0);
    }
    CU_ASSERT_EQUAL(asnap_diff_count(diff), 8);
    CU_ASSERT_EQUAL(found, COUNT(rows));
    asnap_diff_destroy(diff);
    asnap_snapshot_destroy(old);
    asnap_snapshot_destroy(new);
}

static struct asnap_error *type_once(void *context)
{
    const struct asnap_snapshot *snapshot = context;
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = add_types(snapshot, false);
    if (error == NULL)
        error = asnap_statistics_create(snapshot, ASNAP_KEY_TYPE, false, &statistics);
    asnap_statistics_destroy(statistics);
    asnap_types_destroy(snapshot->store->types);
    snapshot->store->types = NULL;
    return error;
}

ASNAP_TEST(statistics_keys, every_allocation_for_types_may_fail)
{
    struct asnap_snapshot *snapshot = keyed_snapshot(traces, COUNT(traces));
    CU_ASSERT(asnap_unit_sweep(type_once, snapshot) > 8);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(statistics_keys, blocks_have_no_cumulative_rows)
{
    struct asnap_snapshot *snapshot = keyed_snapshot(traces, COUNT(traces));
    struct asnap_statistics *statistics = NULL;
    for (int key = ASNAP_KEY_THREAD; key <= ASNAP_KEY_TYPE; key++) {
        CU_ASSERT_FALSE(asnap_key_describe((enum asnap_key)key)->has_cumulative);
        ASNAP_ASSERT_ERROR(
            asnap_statistics_create(snapshot, (enum asnap_key)key, true, &statistics),
            ASNAP_ERROR_INVALID_ARGUMENT);
    }
    CU_ASSERT_PTR_NULL(statistics);
    asnap_snapshot_destroy(snapshot);
}

/* Whatever keys there are. */
ASNAP_TEST(statistics_keys, refusal_names_the_keys_that_have_cumulative_rows)
{
    struct asnap_snapshot *snapshot = keyed_snapshot(traces, COUNT(traces));
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, ASNAP_KEY_AGE, true, &statistics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    const char *said = asnap_error_message(error);
    CU_ASSERT_STRING_EQUAL(said, "cannot group by age cumulatively: use filename, lineno, function "
                                 "or module, or leave out cumulative");
    const struct asnap_key_description *key;
    for (int i = 0; (key = asnap_key_describe((enum asnap_key)i)) != NULL; i++)
        CU_ASSERT_EQUAL(strstr(said, key->name) != NULL, key->has_cumulative || i == ASNAP_KEY_AGE);
    asnap_error_destroy(error);
    asnap_snapshot_destroy(snapshot);
}

/* Filters leave blocks out, and ages are what they were. */
ASNAP_TEST(statistics_keys, of_a_filtered_snapshot)
{
    static const struct asnap_filter by_domain = {
        .inclusive = true, .has_domain = true, .domain = 7};
    static const char *const ages[] = {"20 1 10 min to < 1 h [600, 3600)"};
    static const char *const sizes[] = {"20 1 16 B to < 32 B [16, 32)"};
    struct asnap_snapshot *snapshot = keyed_snapshot(traces, COUNT(traces));
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &by_domain, 1, &filtered));
    expect_rows(filtered, ASNAP_KEY_AGE, false, ages, 1);
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &by_domain, 1, &filtered));
    asnap_snapshot_destroy(snapshot);
    expect_rows(filtered, ASNAP_KEY_SIZE, false, sizes, 1);
}

ASNAP_TEST(statistics_keys, differences)
{
    static const struct {
        enum asnap_key key;
        const char *rows[3]; /* the first ones */
    } cases[] = {
        {ASNAP_KEY_FUNCTION, {"main -5000 -1", "get -191 -2", "get +0 +0"}},
        {ASNAP_KEY_MODULE, {"/bin/prog -5000 -1", "/lib/lib.so -191 -2", "<unknown> +0 +0"}},
        {ASNAP_KEY_THREAD, {"thread 4711 -5191 -3", "thread 4712 +0 +0", "unknown thread +0 +0"}},
        {ASNAP_KEY_SIZE,
         {"4 KiB to < 8 KiB -5000 -1", "64 B to < 128 B -191 -2", "128 B to < 256 B +0 +0"}},
    };
    const struct asnap_trace kept[] = {traces[2], traces[3], traces[4], traces[6]};
    struct asnap_snapshot *old = keyed_snapshot(traces, COUNT(traces));
    struct asnap_snapshot *new = keyed_snapshot(kept, COUNT(kept));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asnap_diff *diff = NULL;
        ASNAP_ASSERT_OK(asnap_diff_create(new, old, cases[i].key, false, &diff));
        for (size_t j = 0; j < 3; j++) {
            char buffer[ASNAP_LABEL_SIZE];
            char text[128];
            struct asnap_statistic_diff row = asnap_diff_row(diff, j);
            snprintf(text, sizeof(text), "%s %+" PRId64 " %+" PRId64,
                     asnap_diff_label(diff, j, buffer), row.size_diff, row.count_diff);
            CU_ASSERT_STRING_EQUAL(text, cases[i].rows[j]);
        }
        if (cases[i].key == ASNAP_KEY_THREAD) {
            CU_ASSERT_EQUAL(asnap_diff_bounds(diff, 0).thread, UINT32_MAX);
            CU_ASSERT_EQUAL(asnap_diff_bounds(diff, 1).thread, 2);
        }
        asnap_diff_destroy(diff);
    }
    asnap_snapshot_destroy(old);
    asnap_snapshot_destroy(new);
}

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

ASNAP_TEST(statistics_keys, recursion_is_counted_again)
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

ASNAP_TEST(statistics_keys, rows_tell_what_was_passed_over)
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
        heap_statistics(keyed_snapshot(traces, COUNT(traces)), key, false);
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_statistics(statistics, format, &options, &text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(statistics_keys, as_text)
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

ASNAP_TEST(statistics_keys, as_json)
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

struct sweep {
    const struct asnap_snapshot *snapshot;
    enum asnap_key key;
    bool cumulative;
    enum asnap_format format;
};

static struct asnap_error *render_statistics(void *context)
{
    const struct sweep *sweep = context;
    struct asnap_statistics *statistics = NULL;
    struct asnap_render_options options = {0};
    char *text = NULL;
    struct asnap_error *error =
        asnap_statistics_create(sweep->snapshot, sweep->key, sweep->cumulative, &statistics);
    if (error == NULL)
        error = asnap_render_statistics(statistics, sweep->format, &options, &text);
    asnap_statistics_destroy(statistics);
    asnap_string_destroy(text);
    return error;
}

static struct asnap_error *render_difference(void *context)
{
    const struct sweep *sweep = context;
    struct asnap_diff *diff = NULL;
    struct asnap_render_options options = {0};
    char *text = NULL;
    struct asnap_error *error =
        asnap_diff_create(sweep->snapshot, sweep->snapshot, sweep->key, sweep->cumulative, &diff);
    if (error == NULL)
        error = asnap_render_diff(diff, sweep->format, &options, &text);
    asnap_diff_destroy(diff);
    asnap_string_destroy(text);
    return error;
}

ASNAP_TEST(statistics_keys, survive_every_failed_allocation)
{
    static const char *const rules[] = {"get"};
    struct asnap_snapshot *whole = keyed_snapshot(traces, COUNT(traces));
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_skip(
        whole, &(struct asnap_skip_rules){.patterns = rules, .pattern_count = 1}, &snapshot));
    ASNAP_ASSERT_OK(add_types(whole, false));
    asnap_snapshot_destroy(whole);
    for (int key = 0; asnap_key_describe((enum asnap_key)key) != NULL; key++) {
        struct sweep sweep = {snapshot, (enum asnap_key)key, false, ASNAP_FORMAT_TEXT};
        CU_ASSERT(asnap_unit_sweep(render_statistics, &sweep) > 3);
        CU_ASSERT(asnap_unit_sweep(render_difference, &sweep) > 3);
        sweep.format = ASNAP_FORMAT_JSON;
        sweep.cumulative = asnap_key_describe((enum asnap_key)key)->has_cumulative;
        CU_ASSERT(asnap_unit_sweep(render_statistics, &sweep) > 3);
        CU_ASSERT(asnap_unit_sweep(render_difference, &sweep) > 3);
    }
    asnap_snapshot_destroy(snapshot);
}
