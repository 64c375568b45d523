#include "keyed_heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test_model_heap.h"

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

const struct asnap_trace keyed_traces[KEYED_TRACES] = {
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

struct asnap_snapshot *keyed_snapshot(const struct asnap_trace *blocks, size_t count)
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

const char *keyed_row(const struct asnap_statistics *statistics, size_t index)
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

void keyed_expect(struct asnap_snapshot *snapshot, enum asnap_key key, bool cumulative,
                  const char *const *rows, size_t count)
{
    struct asnap_statistics *statistics = heap_statistics(snapshot, key, cumulative);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), count);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_STRING_EQUAL(keyed_row(statistics, i), rows[i]);
        if (strcmp(keyed_row(statistics, i), rows[i]) != 0)
            fprintf(stderr, "%s\n", keyed_row(statistics, i));
    }
    asnap_statistics_destroy(statistics);
}

struct asnap_error *keyed_add_types(const struct asnap_snapshot *snapshot, bool newer)
{
    static const uint64_t addresses[] = {0x10000, 0x10100, 0x10200, 0x10500, 0x10600};
    static const uint32_t vtables[] = {0, 1, 2, 3, 3};
    static const char *const names[] = {"b::Name", "a::Name", "b::Name", NULL};
    static const char *const newer_names[] = {"b::Name", "c::Name", "b::Name", "d"};
    return asnap_types_create(snapshot->store, addresses, vtables, 5, newer ? newer_names : names,
                              4, &snapshot->store->types);
}

struct asnap_error *keyed_add_owners(const struct asnap_snapshot *snapshot)
{
    static const uint64_t addresses[] = {0x10000, 0x10100, 0x10200};
    static const uint32_t numbers[] = {0, 1, 0};
    static const char *const names[] = {"global a (m.c)", "b::Name"};
    return asnap_types_create(NULL, addresses, numbers, 3, names, 2, &snapshot->store->owners);
}
