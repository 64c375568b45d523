/* What is kept of a graph in a file: the same after it was loaded, and nothing taken on trust. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump_format.h"
#include "dump_repair.h"
#include "graph_parts.h"
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

/* ---- a graph that is known block by block ---- */

/* Blocks 0 to 8 of (i + 1) * 16 bytes: 0 is reachable and keeps 1 alive; 2 is possible, points to
 * 3, which is too; 4 is definite, on a cycle with 5, and leads to 6; 7 is definite. 8 lies where no
 * program has memory. */
#define KNOWN 9u

static struct asnap_error *try_known(struct asnap_snapshot **snapshot)
{
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    const struct asnap_frame frame = {.filename = "/src/a.c", .lineno = 7};
    uint32_t id = 0;
    uint32_t traceback = 0;
    if (error == NULL)
        error = asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id);
    if (error == NULL)
        error = asnap_builder_traceback(builder, &id, 1, 1, &traceback);
    for (uint32_t i = 0; error == NULL && i < KNOWN; i++) {
        /* In no order of address. */
        struct asnap_trace trace = {.address = HEAP_BASE + 4096 * (i * 7 % KNOWN),
                                    .size = (i + 1) * 16,
                                    .traceback_id = traceback};
        if (i == KNOWN - 1)
            trace.address = UINT64_C(1) << 50;
        error = asnap_builder_traces(builder, &trace, 1);
    }
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

/* The parts in arrays that a test may change. */
struct known {
    struct asnap_snapshot *snapshot;
    struct asnap_graph_parts parts;
    uint8_t classes[KNOWN];
    struct asnap_kept_retained retained[KNOWN];
    struct asnap_kept_leak leaks[KNOWN];
    struct asnap_kept_pointer pointers[8];
    const char *notes[1];
};

static struct asnap_error *known_init(struct known *known)
{
    static const uint8_t classes[KNOWN] = {
        ASNAP_REACH_REACHABLE, ASNAP_REACH_REACHABLE, ASNAP_REACH_POSSIBLE,
        ASNAP_REACH_POSSIBLE,  ASNAP_REACH_DEFINITE,  ASNAP_REACH_INDIRECT,
        ASNAP_REACH_INDIRECT,  ASNAP_REACH_DEFINITE,  ASNAP_REACH_UNKNOWN};
    static const struct asnap_kept_retained retained[KNOWN] = {
        {48, 2, UINT32_MAX}, {32, 1, 0},           {112, 2, UINT32_MAX},
        {64, 1, 2},          {288, 3, UINT32_MAX}, {208, 2, 4},
        {112, 1, 5},         {128, 1, UINT32_MAX}, {0, 0, UINT32_MAX}};
    static const struct asnap_kept_leak leaks[] = {
        {208, 4, 4, 2, 2}, {0, 5, 4, 0, 0}, {0, 6, 4, 0, 0}, {0, 7, 7, 0, 0}};
    static const struct asnap_kept_pointer pointers[] = {
        {2, 3 | ASNAP_KEPT_INSIDE}, {4, 5}, {5, 6}, {5, 4}};
    *known = (struct known){.notes = {"12.0 MiB of roots are not in this core"}};
    memcpy(known->classes, classes, sizeof(classes));
    memcpy(known->retained, retained, sizeof(retained));
    memcpy(known->leaks, leaks, sizeof(leaks));
    memcpy(known->pointers, pointers, sizeof(pointers));
    known->parts = (struct asnap_graph_parts){
        .count = KNOWN,
        .sums = {{48, 2}, {112, 2}, {208, 2}, {208, 2}},
        .classes = known->classes,
        .retained = known->retained,
        .leaks = known->leaks,
        .leak_count = 4,
        .pointers = known->pointers,
        .pointer_count = 4,
        .notes = known->notes,
        .note_count = 1,
    };
    return try_known(&known->snapshot);
}

static void known_deinit(struct known *known)
{
    asnap_snapshot_destroy(known->snapshot);
}

ASNAP_TEST(graph_dump, known_blocks)
{
    struct known known;
    struct asnap_graph *graph = NULL;
    ASNAP_ASSERT_OK(known_init(&known));
    ASNAP_ASSERT_OK(asnap_graph_restore(known.snapshot, &known.parts, &graph));
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(known.snapshot, &traces));
    uint32_t blocks[KNOWN];
    for (uint32_t i = 0; i < KNOWN; i++)
        blocks[i] = asnap_graph_block_of(graph, &traces[i]);
    CU_ASSERT_EQUAL(blocks[8], ASNAP_GRAPH_NO_BLOCK);
    struct asnap_graph_block_info info = asnap_graph_block(graph, blocks[4]);
    CU_ASSERT(info.reach == ASNAP_REACH_DEFINITE && info.owner == blocks[4]);
    CU_ASSERT(info.indirect_size == 208 && info.indirect_count == 2 && info.cycle_count == 2);
    info = asnap_graph_block(graph, blocks[6]);
    CU_ASSERT(info.reach == ASNAP_REACH_INDIRECT && info.owner == blocks[4]);
    info = asnap_graph_block(graph, blocks[7]);
    CU_ASSERT(info.indirect_count == 0 && info.cycle_count == 0);
    uint64_t size, count;
    asnap_graph_retained(graph, blocks[4], &size, &count);
    CU_ASSERT(size == 288 && count == 3);
    asnap_graph_sum(graph, ASNAP_REACH_INDIRECT, &size, &count);
    CU_ASSERT(size == 208 && count == 2);
    uint32_t top[2];
    asnap_graph_top(graph, 2, top);
    CU_ASSERT(top[0] == blocks[4] && top[1] == blocks[5]);
    struct asnap_reference references[3];
    size_t found;
    asnap_graph_references(graph, blocks[5], references, 3, &found);
    CU_ASSERT(found == 2 && references[0].block == blocks[6] && references[1].block == blocks[4]);
    asnap_graph_references(graph, blocks[2], references, 3, &found);
    CU_ASSERT(found == 1 && references[0].block == blocks[3] && references[0].inside);
    CU_ASSERT_STRING_EQUAL(asnap_graph_note(graph, 0), known.notes[0]);
    size_t roots, holders;
    ASNAP_ASSERT_ERROR(asnap_graph_referrers(graph, blocks[5], references, 3, &roots, &holders),
                       ASNAP_ERROR_UNSUPPORTED);
    struct asnap_graph_paths *paths = NULL;
    ASNAP_ASSERT_ERROR(asnap_graph_paths_create(graph, blocks[0], &paths), ASNAP_ERROR_UNSUPPORTED);
    uint32_t groups[KNOWN] = {0};
    uint64_t sizes[1], counts[1];
    ASNAP_ASSERT_ERROR(
        asnap_graph_retained_exactly(graph, traces, KNOWN, groups, 1, NULL, sizes, counts),
        ASNAP_ERROR_UNSUPPORTED);
    asnap_graph_destroy(graph);
    known_deinit(&known);
}

/* ---- what contradicts itself ---- */

/* Restores the parts of `known`, which must fail and say `what`. */
static void check_refused(struct known *known, const char *what)
{
    struct asnap_graph *graph = NULL;
    struct asnap_error *error = asnap_graph_restore(known->snapshot, &known->parts, &graph);
    CU_ASSERT_PTR_NULL(graph);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_DAMAGED);
    if (strstr(asnap_error_message(error), what) == NULL)
        fprintf(stderr, "%s\n    does not say: %s\n", asnap_error_message(error), what);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_error_message(error), what));
    asnap_error_destroy(error);
    known_deinit(known);
}

#define REFUSED(CHANGE, WHAT)                                                                      \
    do {                                                                                           \
        struct known known;                                                                        \
        ASNAP_ASSERT_OK(known_init(&known));                                                       \
        CHANGE;                                                                                    \
        check_refused(&known, WHAT);                                                               \
    } while (false)

ASNAP_TEST(graph_dump, classes_that_contradict)
{
    REFUSED(known.classes[1] = 5, "block 1: its class is 5, not a number from 0 to 4");
    REFUSED(known.classes[1] = 255, "block 1: its class is 255");
    REFUSED(known.classes[8] = ASNAP_REACH_REACHABLE,
            "block 8 has a class, but lies at an address that no program has");
    REFUSED(known.classes[2] = ASNAP_REACH_REACHABLE,
            "reachable blocks: 48 bytes in 2 of the heap, but 96 bytes in 3 of the file");
    REFUSED(known.parts.sums[1].count = 1, "possible blocks: 112 bytes in 1 of the heap");
    REFUSED(known.parts.sums[3].size = 207, "definite blocks: 207 bytes in 2 of the heap");
    REFUSED(known.parts.sums[0].size = INT64_MAX, "sum up to 2^63 bytes or 2^30 blocks, or more");
    REFUSED(known.parts.sums[3].size = UINT64_MAX, "sum up to 2^63 bytes or 2^30 blocks, or more");
    REFUSED(known.parts.sums[0].count = UINT64_MAX, "sum up to 2^63 bytes or 2^30 blocks");
    REFUSED(known.parts.sums[0].count = 1u << 30, "sum up to 2^63 bytes or 2^30 blocks");
}

ASNAP_TEST(graph_dump, leaks_that_contradict)
{
    REFUSED(known.parts.leak_count = 3,
            "4 blocks are definite or indirect, but 3 are listed as such");
    REFUSED(known.leaks[1].place = 4, "leaked block 1: block 4 of 9 blocks is not after the one");
    REFUSED(known.leaks[3].place = KNOWN, "leaked block 3: block 9 of 9 blocks");
    REFUSED(known.leaks[0].place = 3, "leaked block 0: block 3 of 9 blocks");
    REFUSED(known.leaks[3].place = UINT32_MAX, "leaked block 3: block 4294967295 of 9 blocks");
    REFUSED(known.leaks[0].owner = 7, "leaked block 4: block 7 stands for it");
    REFUSED(known.leaks[0].owner = UINT32_MAX, "leaked block 4: block 4294967295 stands for it");
    REFUSED(known.leaks[1].owner = 6, "leaked block 5: block 6 stands for it");
    REFUSED(known.leaks[1].owner = KNOWN, "leaked block 5: block 9 stands for it");
    REFUSED(known.leaks[1].indirect_size = 1, "leaked block 5 is indirect, but has blocks");
    REFUSED(known.leaks[1].indirect_count = 1, "leaked block 5 is indirect, but has blocks");
    REFUSED(known.leaks[2].cycle_count = 2, "leaked block 6 is indirect, but has blocks");
    REFUSED(known.leaks[0].cycle_count = 1, "leaked block 4 stands for a cycle of 1 blocks");
    REFUSED(known.leaks[0].cycle_count = 4, "a cycle of 4 blocks, but leads to 2");
    REFUSED(known.leaks[0].cycle_count = UINT32_MAX, "a cycle of 4294967295 blocks");
    REFUSED(known.leaks[0].indirect_size = 209,
            "what leaked blocks lead to sums up to more than the 208 bytes in 2 indirect blocks");
    REFUSED(known.leaks[3].indirect_size = UINT64_MAX, "sums up to more than the 208 bytes");
    REFUSED(known.leaks[3].indirect_count = 1, "sums up to more than the 208 bytes in 2");
    REFUSED(known.leaks[0].indirect_size = 207,
            "leaked block 4 leads to 207 bytes in 2 blocks, but stands for 208 bytes in 2");
    REFUSED((known.leaks[0].indirect_count = 1),
            "leaked block 4 leads to 208 bytes in 1 blocks, but stands for 208 bytes in 2");
}

ASNAP_TEST(graph_dump, pointers_that_contradict)
{
    REFUSED(known.pointers[3].from = KNOWN, "pointer 3 is from block 9 to block 4 of 9 blocks");
    REFUSED(known.pointers[1].to = KNOWN, "pointer 1 is from block 4 to block 9 of 9 blocks");
    REFUSED(known.pointers[1].to = UINT32_MAX, "to block 2147483647 of 9 blocks");
    REFUSED(known.pointers[2].from = 2, "pointer 2 is from block 2, and the one before it from");
    REFUSED(known.pointers[0].from = 0, "pointer 0 is from block 0 of class 1 to block 3");
    REFUSED(known.pointers[3].to = 1, "pointer 3 is from block 5 of class 3 to block 1 of class 1");
    REFUSED(known.pointers[0].to = 5, "pointer 0 is from block 2 of class 2 to block 5 of class 3");
    REFUSED(known.pointers[3].to = 8, "pointer 3 is from block 5 of class 3 to block 8 of class 0");
}

ASNAP_TEST(graph_dump, dominators_that_contradict)
{
    REFUSED(known.retained[1].dominator = KNOWN, "block 1: block 9 of 9 blocks keeps it alive");
    REFUSED(known.retained[1].dominator = 8, "block 1: block 8 of 9 blocks keeps it alive");
    REFUSED(known.retained[0].dominator = 0, "1 blocks keep each other alive in a circle");
    REFUSED((known.retained[1] = (struct asnap_kept_retained){32, 1, 1}), "in a circle");
    REFUSED((known.retained[4].dominator = 6, known.retained[5].dominator = 4),
            "3 blocks keep each other alive in a circle");
    REFUSED(known.retained[8].size = 1, "block 8 has no class, but keeps blocks alive");
    REFUSED(known.retained[8].count = 1, "block 8 has no class, but keeps blocks alive");
    REFUSED(known.retained[8].dominator = 0, "block 8 has no class");
    REFUSED(known.retained[7].size = 127, "block 7 has 128 bytes, but keeps 127 alive in 1");
    REFUSED(known.retained[7].size = UINT64_MAX, "block 7 has 128 bytes, but keeps 1844");
    REFUSED(known.retained[7].count = 0, "block 7 has 128 bytes, but keeps 128 alive in 0");
    REFUSED(known.retained[5].size = 207, "block 5 keeps 207 bytes alive in 2 blocks, less than");
    REFUSED(known.retained[5].count = 1, "block 5 keeps 208 bytes alive in 1 blocks, less than");
    REFUSED(known.retained[7].size = 129, "keep more alive than the 576 bytes in 8 blocks");
    REFUSED(known.retained[7].count = UINT32_MAX, "keep more alive than the 576 bytes in 8");
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
    return asnap_types_create(snapshot->store, addresses, vtables, 2, names, 2,
                              &snapshot->store->types);
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
    check_damaged(ASNAP_DUMP_TYPE_NAMES, 0, 0x41414141, "the first name of a type is not empty");
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
