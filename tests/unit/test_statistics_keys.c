/* The keys beside tracemalloc's. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyed_heap.h"
#include "test_model_heap.h"

#define EXPECT(KEY, CUMULATIVE, ...)                                                               \
    do {                                                                                           \
        static const char *const rows[] = {__VA_ARGS__};                                           \
        keyed_expect(keyed_snapshot(keyed_traces, KEYED_TRACES), (KEY), (CUMULATIVE), rows,        \
                     COUNT(rows));                                                                 \
    } while (0)

ASNAP_TEST(statistics_keys, the_table_names_each_key)
{
    static const char *const names[] = {"filename", "lineno", "traceback", "function", "module",
                                        "thread",   "age",    "size",      "type",     "owner"};
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
    keyed_expect(keyed_snapshot(large, 2), ASNAP_KEY_SIZE, false, rows, 2);
}

ASNAP_TEST(statistics_keys, blocks_have_no_cumulative_rows)
{
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
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
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
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

/* By each key, the blocks of all rows are those of the snapshot, and each row's are as many and as
 * large as it says. */
ASNAP_TEST(statistics_keys, blocks_of_rows)
{
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
    ASNAP_ASSERT_OK(keyed_add_types(snapshot, false));
    ASNAP_ASSERT_OK(keyed_add_owners(snapshot));
    for (int key = 0; asnap_key_describe((enum asnap_key)key) != NULL; key++) {
        struct asnap_statistics *statistics;
        ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, (enum asnap_key)key, false, &statistics));
        size_t row_count = asnap_statistics_count(statistics);
        CU_ASSERT(row_count > 1);
        size_t found[KEYED_TRACES] = {0};
        for (size_t i = 0; i < row_count; i++) {
            struct asnap_snapshot *blocks;
            ASNAP_ASSERT_OK(asnap_statistics_blocks(statistics, snapshot, i, &blocks));
            struct asnap_statistic row = asnap_statistics_row(statistics, i);
            CU_ASSERT_EQUAL(asnap_snapshot_size(blocks), row.size);
            CU_ASSERT_EQUAL(asnap_snapshot_count(blocks), row.count);
            const struct asnap_trace *traces;
            ASNAP_ASSERT_OK(asnap_snapshot_traces(blocks, &traces));
            for (size_t j = 0; j < row.count; j++)
                for (size_t k = 0; k < KEYED_TRACES; k++)
                    found[k] += traces[j].address == keyed_traces[k].address;
            asnap_snapshot_destroy(blocks);
        }
        for (size_t k = 0; k < KEYED_TRACES; k++)
            CU_ASSERT_EQUAL(found[k], 1);
        struct asnap_snapshot *none = NULL;
        ASNAP_ASSERT_ERROR(asnap_statistics_blocks(statistics, snapshot, row_count, &none),
                           ASNAP_ERROR_INVALID_ARGUMENT);
        CU_ASSERT_PTR_NULL(none);
        asnap_statistics_destroy(statistics);
    }
    asnap_snapshot_destroy(snapshot);
}

/* Filters leave blocks out, and ages are what they were. */
ASNAP_TEST(statistics_keys, of_a_filtered_snapshot)
{
    static const struct asnap_filter by_domain = {
        .inclusive = true, .has_domain = true, .domain = 7};
    static const char *const ages[] = {"20 1 10 min to < 1 h [600, 3600)"};
    static const char *const sizes[] = {"20 1 16 B to < 32 B [16, 32)"};
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &by_domain, 1, &filtered));
    keyed_expect(filtered, ASNAP_KEY_AGE, false, ages, 1);
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &by_domain, 1, &filtered));
    asnap_snapshot_destroy(snapshot);
    keyed_expect(filtered, ASNAP_KEY_SIZE, false, sizes, 1);
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
    const struct asnap_trace kept[] = {keyed_traces[2], keyed_traces[3], keyed_traces[4],
                                       keyed_traces[6]};
    struct asnap_snapshot *old = keyed_snapshot(keyed_traces, KEYED_TRACES);
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
    struct asnap_snapshot *whole = keyed_snapshot(keyed_traces, KEYED_TRACES);
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_skip(
        whole, &(struct asnap_skip_rules){.patterns = rules, .pattern_count = 1}, &snapshot));
    ASNAP_ASSERT_OK(keyed_add_types(whole, false));
    ASNAP_ASSERT_OK(keyed_add_owners(whole));
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
