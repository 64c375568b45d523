/* What is kept of a graph in a file: the same after it was loaded, and nothing taken on trust. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump_format.h"
#include "dump_repair.h"
#include "known_graph.h"
#include "made_graph.h"
#include "test_model_dump.h"

/* ---- graphs of random heaps ---- */

/* All that two graphs tell of the traces of `snapshot`. */
static void check_same(const struct asnap_graph *left, const struct asnap_graph *right,
                       const struct asnap_snapshot *snapshot)
{
    struct asnap_graph_parts a, b;
    ASNAP_ASSERT_OK(asnap_graph_parts_init(&a, left, snapshot));
    ASNAP_ASSERT_OK(asnap_graph_parts_init(&b, right, snapshot));
    CU_ASSERT_EQUAL_FATAL(a.count, b.count);
    CU_ASSERT_EQUAL_FATAL(a.leak_count, b.leak_count);
    CU_ASSERT_EQUAL_FATAL(a.pointer_count, b.pointer_count);
    CU_ASSERT_EQUAL_FATAL(a.note_count, b.note_count);
    CU_ASSERT_EQUAL(memcmp(a.sums, b.sums, sizeof(a.sums)), 0);
    CU_ASSERT_EQUAL(memcmp(a.classes, b.classes, a.count), 0);
    CU_ASSERT_EQUAL(memcmp(a.retained, b.retained, a.count * sizeof(*a.retained)), 0);
    CU_ASSERT_EQUAL(memcmp(a.leaks, b.leaks, a.leak_count * sizeof(*a.leaks)), 0);
    CU_ASSERT_EQUAL(memcmp(a.pointers, b.pointers, a.pointer_count * sizeof(*a.pointers)), 0);
    CU_ASSERT_STRING_EQUAL(a.notes[0], b.notes[0]);
    asnap_graph_parts_deinit(&a);
    asnap_graph_parts_deinit(&b);
}

static void dump(struct asnap_graph *graph, const struct asnap_snapshot *snapshot, const char *path)
{
    ASNAP_ASSERT_OK(asnap_graph_dump(graph, snapshot, path, NULL, 0, NULL));
}

static void check_same_files(const char *left, const char *right)
{
    size_t sizes[2];
    unsigned char *files[2] = {dump_bytes(left, &sizes[0]), dump_bytes(right, &sizes[1])};
    CU_ASSERT_EQUAL_FATAL(sizes[0], sizes[1]);
    CU_ASSERT_EQUAL(memcmp(files[0], files[1], sizes[0]), 0);
    free(files[0]);
    free(files[1]);
}

/* What the lines of a snapshot keep alive. */
static void sum_lines(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                      uint64_t sums[6])
{
    const struct asnap_trace *traces = NULL;
    size_t count = asnap_snapshot_count(snapshot);
    uint32_t *groups = calloc(count + 1, sizeof(*groups));
    memset(sums, 0, 6 * sizeof(*sums));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    /* Numbers of tracebacks are others in the file of a filtered snapshot. */
    for (size_t i = 0; i < count; i++) {
        const struct asnap_traceback *traceback =
            &asnap_snapshot_tracebacks(snapshot)[traces[i].traceback_id];
        groups[i] =
            asnap_snapshot_frame(snapshot, asnap_snapshot_frame_ids(snapshot)[traceback->first])
                .lineno -
            1;
    }
    ASNAP_ASSERT_OK(asnap_graph_retained_by(graph, traces, count, groups, 3, sums, sums + 3));
    free(groups);
}

/* The file of some of the blocks, which says of each what the whole graph says. */
static void check_part(struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                       uint32_t classes)
{
    struct asnap_snapshot *part = NULL;
    struct asnap_snapshot *loaded = NULL;
    struct asnap_graph *loaded_graph = NULL;
    ASNAP_ASSERT_OK(asnap_graph_select(graph, snapshot, classes, &part));
    const char *path = dump_path("part");
    dump(graph, part, path);
    ASNAP_ASSERT_OK(asnap_graph_load(path, &loaded, &loaded_graph));
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded_graph);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_count(loaded), asnap_snapshot_count(part));
    const struct asnap_trace *traces[2] = {NULL};
    ASNAP_ASSERT_OK(asnap_snapshot_traces(part, &traces[0]));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(loaded, &traces[1]));
    for (size_t i = 0; i < asnap_snapshot_count(part); i++) {
        uint32_t blocks[2] = {asnap_graph_block_of(graph, &traces[0][i]),
                              asnap_graph_block_of(loaded_graph, &traces[1][i])};
        struct asnap_graph_block_info infos[2] = {asnap_graph_block(graph, blocks[0]),
                                                  asnap_graph_block(loaded_graph, blocks[1])};
        uint64_t retained[2][2];
        asnap_graph_retained(graph, blocks[0], &retained[0][0], &retained[0][1]);
        asnap_graph_retained(loaded_graph, blocks[1], &retained[1][0], &retained[1][1]);
        CU_ASSERT(infos[0].reach == infos[1].reach &&
                  infos[0].indirect_size == infos[1].indirect_size &&
                  infos[0].indirect_count == infos[1].indirect_count &&
                  infos[0].cycle_count == infos[1].cycle_count);
        CU_ASSERT_EQUAL(memcmp(retained[0], retained[1], sizeof(retained[0])), 0);
    }
    uint64_t sums[2][6];
    sum_lines(graph, part, sums[0]);
    sum_lines(loaded_graph, loaded, sums[1]);
    CU_ASSERT_EQUAL(memcmp(sums[0], sums[1], sizeof(sums[0])), 0);
    const char *again = dump_path("part again");
    dump(loaded_graph, loaded, again);
    check_same_files(path, again);
    asnap_graph_destroy(loaded_graph);
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(part);
}

ASNAP_TEST(graph_dump, random_heaps)
{
    size_t of_class[ASNAP_REACH_CLASSES] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct graph_heap heap;
        graph_heap_init(&heap, 4000 + 40 * seed, seed);
        graph_heap_fill(&heap, 200, 20 + seed % 120);
        struct asnap_snapshot *snapshot = made_graph_snapshot(&heap);
        struct asnap_graph *graph = made_graph(snapshot, &heap, NULL, seed % 9);
        struct asnap_snapshot *loaded = NULL;
        struct asnap_graph *loaded_graph = NULL;
        const char *path = dump_path("whole");
        dump(graph, snapshot, path);
        ASNAP_ASSERT_OK(asnap_graph_load(path, &loaded, &loaded_graph));
        CU_ASSERT_PTR_NOT_NULL_FATAL(loaded_graph);
        check_same(graph, loaded_graph, snapshot);
        uint64_t sums[2][6];
        sum_lines(graph, snapshot, sums[0]);
        sum_lines(loaded_graph, loaded, sums[1]);
        CU_ASSERT_EQUAL(memcmp(sums[0], sums[1], sizeof(sums[0])), 0);
        const char *again = dump_path("whole again");
        dump(loaded_graph, loaded, again);
        check_same_files(path, again);
        CU_ASSERT(asnap_graph_has_pointers(graph) && !asnap_graph_has_pointers(loaded_graph));
        check_part(graph, snapshot, (uint32_t)(2 + 2 * (seed % 15)));
        check_part(graph, snapshot, 0);
        for (uint32_t reach = 0; reach < ASNAP_REACH_CLASSES; reach++)
            of_class[reach] += graph->counts[reach];
        asnap_graph_destroy(graph);
        asnap_graph_destroy(loaded_graph);
        asnap_snapshot_destroy(snapshot);
        asnap_snapshot_destroy(loaded);
        graph_heap_deinit(&heap);
    }
    CU_ASSERT_EQUAL(of_class[ASNAP_REACH_UNKNOWN], 0);
    for (uint32_t reach = ASNAP_REACH_REACHABLE; reach < ASNAP_REACH_CLASSES; reach++)
        CU_ASSERT(of_class[reach] > 200);
}

/* ---- files ---- */

static struct asnap_error *dump_known(const struct known *known, const char *path)
{
    struct asnap_graph *graph = NULL;
    struct asnap_error *error = asnap_graph_restore(known->snapshot, &known->parts, &graph);
    if (error == NULL)
        error = asnap_graph_dump(graph, known->snapshot, path, NULL, 0, NULL);
    asnap_graph_destroy(graph);
    return error;
}

static struct asnap_error *add_types(const struct asnap_snapshot *snapshot)
{
    static const uint64_t addresses[] = {HEAP_BASE, HEAP_BASE + 4096};
    static const uint32_t vtables[] = {1, 0};
    static const char *const names[] = {"zoo::Lion", "zoo::Ape"};
    struct asnap_error *error = asnap_types_create(snapshot->store, addresses, vtables, 2, names, 2,
                                                   &snapshot->store->types);
    if (error != NULL)
        return error;
    return asnap_types_create(NULL, addresses, vtables, 2, names, 2, &snapshot->store->owners);
}

/* What the file of the known graph, changed, says. NULL: it loads. With SIZE_MAX, the numbers of
 * this section and of those after it are changed, to some that a reader passes over. */
static char *load_changed(enum asnap_dump_kind kind, size_t offset, uint32_t value)
{
    struct known known;
    ASNAP_ASSERT_OK(known_init(&known));
    ASNAP_ASSERT_OK(add_types(known.snapshot));
    const char *path = dump_path("changed");
    ASNAP_ASSERT_OK(dump_known(&known, path));
    known_deinit(&known);
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    struct asnap_dump_header *header = (struct asnap_dump_header *)bytes;
    CU_ASSERT_EQUAL(header->version, ASNAP_DUMP_VERSION);
    struct asnap_dump_section *section = (struct asnap_dump_section *)(header + 1);
    while (section->kind != (uint32_t)kind)
        section++;
    struct asnap_dump_section *end =
        (struct asnap_dump_section *)(header + 1) + header->section_count;
    if (offset != SIZE_MAX)
        memcpy(bytes + section->offset + offset, &value, sizeof(value));
    for (; offset == SIZE_MAX && section < end; section++)
        section->kind += value;
    dump_repair(bytes, size);
    dump_write(path, bytes, size);
    free(bytes);
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = asnap_snapshot_load(path, &snapshot);
    asnap_snapshot_destroy(snapshot);
    char *message = error == NULL ? NULL : strdup(asnap_error_message(error));
    if (error != NULL) {
        CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_DAMAGED);
        CU_ASSERT_STRING_EQUAL(asnap_error_path(error), path);
        asnap_error_destroy(error);
    }
    return message;
}

static void check_damaged(enum asnap_dump_kind kind, size_t offset, uint32_t value,
                          const char *what)
{
    char *message = load_changed(kind, offset, value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    if (strstr(message, what) == NULL)
        fprintf(stderr, "%s\n    does not say: %s\n", message, what);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, what));
    free(message);
}

ASNAP_TEST(graph_dump, damaged_files)
{
    CU_ASSERT_PTR_NULL(load_changed(ASNAP_DUMP_CLASSES, 0, 0x02020101));
    check_damaged(ASNAP_DUMP_CLASSES, 0, 0x02020601, "block 1: its class is 6");
    check_damaged(ASNAP_DUMP_RETAINED, 12, 8, "block 0: block 8 of 9 blocks keeps it alive");
    check_damaged(ASNAP_DUMP_LEAKS, 8, 100, "leaked block 0: block 100 of 9 blocks");
    check_damaged(ASNAP_DUMP_POINTERS, 0, 100, "pointer 0 is from block 100");
    check_damaged(ASNAP_DUMP_TYPES, 8, 3, "type of block 0: name index 3 of 3 names");
    check_damaged(ASNAP_DUMP_TYPES, 8, 0, "type of block 0: name index 0 of 3 names");
    check_damaged(ASNAP_DUMP_TYPES, 12, 1, "reserved field 1");
    check_damaged(ASNAP_DUMP_TYPES, 16, (uint32_t)HEAP_BASE, "is not greater than the one before");
    check_damaged(ASNAP_DUMP_TYPE_NAMES, 0, 0x41414141, "the first name of types is not empty");
    check_damaged(ASNAP_DUMP_OWNERS, 8, 3, "owner of block 0: name index 3 of 3 names");
    check_damaged(ASNAP_DUMP_OWNER_NAMES, 0, 0x41414141, "the first name of owners is not empty");
    check_damaged(ASNAP_DUMP_TYPE_NAMES, 0, 0x7f7f7f00,
                  "the name of type 2 is not greater than the one before it");
}

ASNAP_TEST(graph_dump, sections_that_are_missing)
{
    check_damaged(ASNAP_DUMP_GRAPH, SIZE_MAX, 1000,
                  "it has format version 4, but neither a graph nor types");
    check_damaged(ASNAP_DUMP_CLASSES, SIZE_MAX, 1000, "section 22: 0 elements for 9 blocks");
    check_damaged(ASNAP_DUMP_RETAINED, SIZE_MAX, 1000, "section 23: 0 elements for 9 blocks");
    check_damaged(ASNAP_DUMP_LEAKS, SIZE_MAX, 1000,
                  "4 blocks are definite or indirect, but 0 are listed as such");
    CU_ASSERT_PTR_NULL(load_changed(ASNAP_DUMP_POINTERS, SIZE_MAX, 1000));
    CU_ASSERT_PTR_NULL(load_changed(ASNAP_DUMP_TYPE_NAMES, SIZE_MAX, 1000));
}

static struct asnap_error *load_again(void *context)
{
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_graph *graph = NULL;
    struct asnap_error *error = asnap_graph_load(context, &snapshot, &graph);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    return error;
}

static struct asnap_error *dump_again(void *context)
{
    struct known known;
    struct asnap_error *error = known_init(&known);
    if (error == NULL)
        error = add_types(known.snapshot);
    if (error == NULL)
        error = dump_known(&known, context);
    known_deinit(&known);
    return error;
}

ASNAP_TEST(graph_dump, every_allocation_may_fail)
{
    char path[512];
    snprintf(path, sizeof(path), "%s", dump_path("swept"));
    CU_ASSERT(asnap_unit_sweep(dump_again, path) > 50);
    CU_ASSERT(asnap_unit_sweep(load_again, path) > 50);
}
