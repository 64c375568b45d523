/* Statistics by type. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyed_heap.h"

ASNAP_TEST(statistics_types, by_type_then_by_size)
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
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
    struct asnap_error *error =
        asnap_statistics_create(snapshot, ASNAP_KEY_TYPE, false, &statistics);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_UNSUPPORTED);
    asnap_error_destroy(error);
    ASNAP_ASSERT_OK(keyed_add_types(snapshot, false));
    keyed_expect(snapshot, ASNAP_KEY_TYPE, false, rows, COUNT(rows));
}

/* What calls of operator new tell comes after vtables; a class's own operator new is passed over.
 */
ASNAP_TEST(statistics_types, by_type_that_a_call_tells)
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
    keyed_expect(snapshot, ASNAP_KEY_TYPE, false, rows, COUNT(rows));
}

/* Classes and sizes are what they are in both, whatever their numbers are in either. */
ASNAP_TEST(statistics_types, differences_by_type)
{
    static const char *const rows[] = {
        "<no vtable>, 4 KiB to < 8 KiB -5000 -1",
        "d +5020 +2",
        "c::Name +127 +1",
        "a::Name -127 -1",
        "<no vtable>, 16 B to < 32 B -20 -1",
    };
    struct asnap_snapshot *old = keyed_snapshot(keyed_traces, KEYED_TRACES);
    struct asnap_snapshot *new = keyed_snapshot(keyed_traces, KEYED_TRACES);
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(keyed_add_types(old, false));
    ASNAP_ASSERT_OK(keyed_add_types(new, true));
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

ASNAP_TEST(statistics_types, by_owner)
{
    static const char *const rows[] = {
        "5021 4 <unreachable> [0, 0)",
        "192 2 global a (m.c) [0, 0)",
        "127 1 b::Name [0, 0)",
    };
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
    struct asnap_snapshot *other = keyed_snapshot(keyed_traces, 2);
    struct asnap_diff *diff = NULL;
    char buffer[ASNAP_LABEL_SIZE];
    ASNAP_ASSERT_OK(keyed_add_owners(snapshot));
    ASNAP_ASSERT_OK(keyed_add_owners(other));
    ASNAP_ASSERT_OK(asnap_diff_create(snapshot, other, ASNAP_KEY_OWNER, false, &diff));
    CU_ASSERT_EQUAL_FATAL(asnap_diff_count(diff), 3);
    CU_ASSERT_STRING_EQUAL(asnap_diff_label(diff, 0, buffer), "<unreachable>");
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).size_diff, 5021);
    CU_ASSERT_STRING_EQUAL(asnap_diff_label(diff, 1, buffer), "global a (m.c)");
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 1).size_diff, 128);
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 2).size_diff, 0);
    asnap_diff_destroy(diff);
    asnap_snapshot_destroy(other);
    keyed_expect(snapshot, ASNAP_KEY_OWNER, false, rows, COUNT(rows));
}

static struct asnap_error *type_once(void *context)
{
    const struct asnap_snapshot *snapshot = context;
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = keyed_add_types(snapshot, false);
    if (error == NULL)
        error = asnap_statistics_create(snapshot, ASNAP_KEY_TYPE, false, &statistics);
    asnap_statistics_destroy(statistics);
    asnap_types_destroy(snapshot->store->types);
    snapshot->store->types = NULL;
    return error;
}

ASNAP_TEST(statistics_types, every_allocation_for_types_may_fail)
{
    struct asnap_snapshot *snapshot = keyed_snapshot(keyed_traces, KEYED_TRACES);
    CU_ASSERT(asnap_unit_sweep(type_once, snapshot) > 8);
    asnap_snapshot_destroy(snapshot);
}
