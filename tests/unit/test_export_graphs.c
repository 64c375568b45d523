/* Random graphs as V8 heap snapshots. With ALLOCSNAP_EXPORTED they are left in that directory, and
 * beside each what its blocks retain, for tests/export to have them read by somebody else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "graph.h"
#include "graph_heap.h"
#include "paths.h"
#include "report_page.h"
#include "test_model_dump.h"

enum { GRAPHS = 60, ROOTS = 9 };

/* Names that would break a file that is not careful. */
static const char *const names[] = {
    "plain.c",
    "/a \"quoted\" \\ path.c",
    "line\nend\tand\rmore",
    "\"nodes\":[1,2],\"strings\":[",
    "\xff\xfe no UTF-8 \x80",
    "caf\xc3\xa9 \xe2\x80\xae turned \xf0\x9f\x98\x80",
    "\x01\x1f\x7f",
    "Object(",
    "\\x41 \\u0041 \\",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* A graph whose parts are made here: what roots are is not found out, but given. */
struct made_graph {
    struct graph_heap heap;
    struct asnap_graph graph;
    struct asnap_snapshot *snapshot;
};

static uint32_t add_traceback(struct asnap_builder *builder, const char *name, uint32_t lineno)
{
    struct asnap_frame frame = {.filename = name, .function = name, .lineno = lineno};
    uint32_t frame_id;
    uint32_t traceback;
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frame_id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &frame_id, 1, 1, &traceback));
    return traceback;
}

static void make_snapshot(struct made_graph *made)
{
    struct asnap_builder *builder;
    uint32_t tracebacks[NAMES];
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (uint32_t i = 0; i < NAMES; i++)
        tracebacks[i] = add_traceback(builder, names[i], i % 3);
    for (size_t i = 0; i < made->heap.count; i++)
        made->heap.traces[i].traceback_id = tracebacks[i % NAMES];
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, made->heap.traces, made->heap.count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 1, &made->snapshot));
    asnap_builder_destroy(builder);
}

static void make_roots(struct made_graph *made, const struct asnap_word_reader *reader,
                       size_t count)
{
    struct asnap_roots *roots = &made->graph.roots;
    roots->roots = calloc(ROOTS, sizeof(*roots->roots));
    roots->pointers = calloc(count + 1, sizeof(*roots->pointers));
    CU_ASSERT_FATAL(roots->roots != NULL && roots->pointers != NULL);
    roots->count = ROOTS;
    roots->pointer_count = count;
    for (uint32_t i = 0; i < ROOTS; i++)
        roots->roots[i] = (struct asnap_root){
            .start = 4096 * (i + 1), .end = 4096 * (i + 2), .kind = i % ASNAP_ROOT_KINDS};
    for (size_t i = 0; i < count; i++) {
        const struct asnap_trace *trace =
            &made->heap.traces[graph_heap_random(&made->heap, made->heap.count)];
        uint32_t root = (uint32_t)graph_heap_random(&made->heap, ROOTS - 2);
        roots->pointers[i].root = root;
        roots->pointers[i].place =
            roots->roots[root].start + 8 * graph_heap_random(&made->heap, 500);
        CU_ASSERT(asnap_edges_word(&made->graph.edges, &made->graph.index, reader, trace->address,
                                   &roots->pointers[i].edge));
    }
}

/* Makes a block larger than a number of 32 bits says, though no memory is behind it. */
static void make_large(struct made_graph *made, size_t place, uint64_t more)
{
    struct asnap_block_index *index = &made->graph.index;
    uint64_t size = made->heap.traces[place].size += more;
    for (uint32_t i = 0; i < index->count; i++) {
        if (index->places[i] == place)
            index->blocks[i].end = index->blocks[i].start + size;
    }
}

static void make(struct made_graph *made, uint64_t seed)
{
    size_t skipped;
    *made = (struct made_graph){0};
    graph_heap_init(&made->heap, 2048 + 512 * (seed % 40), seed);
    graph_heap_fill(&made->heap, 48 + 40 * (seed % 3), 3 * (seed % 80));
    make_snapshot(made);
    struct asnap_graph *graph = &made->graph;
    struct asnap_word_reader reader = {.memory = &made->heap.memory, .heuristics = true};
    ASNAP_ASSERT_OK(
        asnap_block_index_init(&graph->index, made->heap.traces, made->heap.count, &skipped));
    ASNAP_ASSERT_OK(asnap_edges_init(&graph->edges, &graph->index, &reader));
    make_roots(made, &reader, seed % 17);
    ASNAP_ASSERT_OK(asnap_reach_init(&graph->reach, &graph->index, &graph->edges,
                                     graph->roots.pointers, graph->roots.pointer_count, NULL));
    asnap_root_pointers_sort(graph->roots.pointers, graph->roots.pointer_count, graph->roots.roots);
    for (uint32_t i = 0; i < graph->index.count; i++)
        graph->counts[graph->reach.classes[i]]++;
    if (seed % 5 == 0)
        make_large(made, seed % made->heap.count, (seed << 30) - 1);
    ASNAP_ASSERT_OK(asnap_graph_retain(graph, NULL));
}

static void unmake(struct made_graph *made)
{
    asnap_dominators_deinit(&made->graph.dominators);
    asnap_referrers_deinit(&made->graph.referrers);
    asnap_reach_deinit(&made->graph.reach);
    asnap_roots_deinit(&made->graph.roots);
    asnap_edges_deinit(&made->graph.edges);
    asnap_block_index_deinit(&made->graph.index);
    asnap_snapshot_destroy(made->snapshot);
    graph_heap_deinit(&made->heap);
}

static struct asnap_error *export_as(struct made_graph *made, enum asnap_export_format format,
                                     const char *path)
{
    struct asnap_report_options report = {.page = report_page_path(), .retained = &made->graph};
    struct asnap_export_options options = {.graph = &made->graph, .report = &report};
    return asnap_export(made->snapshot, format, &options, path);
}

static struct asnap_error *export(struct made_graph *made, const char *path)
{
    return export_as(made, ASNAP_EXPORT_HEAPSNAPSHOT, path);
}

static void write_expected(const struct made_graph *made, const char *path)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (uint32_t i = 0; i < made->graph.index.count; i++) {
        uint64_t size;
        uint64_t count;
        asnap_graph_retained(&made->graph, i, &size, &count);
        fprintf(file, "%llu %llu\n", (unsigned long long)asnap_block_size(&made->graph.index, i),
                (unsigned long long)size);
    }
    fclose(file);
}

static void check_file(const char *path)
{
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(stat(path, &status), 0);
    CU_ASSERT(status.st_size > 1000);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
}

ASNAP_TEST(export_graphs, random_graphs)
{
    const char *directory = getenv("ALLOCSNAP_EXPORTED");
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        char path[512];
        struct made_graph made;
        make(&made, seed);
        if (directory != NULL)
            snprintf(path, sizeof(path), "%s/%02u.heapsnapshot", directory, (unsigned)seed);
        else
            snprintf(path, sizeof(path), "%s", dump_path("graph.heapsnapshot"));
        ASNAP_ASSERT_OK(export(&made, path));
        check_file(path);
        if (directory != NULL) {
            snprintf(path, sizeof(path), "%s/%02u.expected", directory, (unsigned)seed);
            write_expected(&made, path);
        }
        unmake(&made);
    }
}

static uint64_t wide(const struct report_page *page, const char *tag, size_t at)
{
    return report_page_number(page, tag, at) | report_page_number(page, tag, at + 1) << 32;
}

/* The block that a report shows, by its address. */
static uint32_t shown_block(const struct made_graph *made, const struct report_page *page,
                            const char *tag, size_t at)
{
    uint32_t block = asnap_graph_find(&made->graph, wide(page, tag, at + 1));
    CU_ASSERT_FATAL(block != ASNAP_GRAPH_NO_BLOCK);
    struct asnap_graph_block_info info = asnap_graph_block(&made->graph, block);
    CU_ASSERT_EQUAL(wide(page, tag, at + 3), info.trace.size);
    CU_ASSERT_EQUAL(report_page_number(page, tag, at + 5), info.reach);
    return block;
}

static bool refers(const struct made_graph *made, uint32_t from, uint32_t to)
{
    struct asnap_reference references[512];
    size_t count;
    asnap_graph_references(&made->graph, from, references, 512, &count);
    for (size_t i = 0; i < count; i++) {
        if (references[i].block == to)
            return true;
    }
    return false;
}

/* The largest leak: the block that stands for it, then what that leads to, each after the block
 * that points to it. Returns how many are shown. */
static size_t check_leak(const struct made_graph *made, const struct report_page *page)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < made->graph.index.count; i++) {
        struct asnap_graph_block_info info = asnap_graph_block(&made->graph, i);
        if (info.reach == ASNAP_REACH_DEFINITE && info.trace.size + info.indirect_size > most)
            most = info.trace.size + info.indirect_size;
    }
    if (report_page_count(page, "grle") == 0) {
        CU_ASSERT_EQUAL(most, 0);
        return 0;
    }
    CU_ASSERT_EQUAL(wide(page, "grle", 0), most);
    size_t count = (report_page_count(page, "grle") - 4) / 7;
    CU_ASSERT(count <= wide(page, "grle", 2));
    uint32_t first = shown_block(made, page, "grle", 5);
    CU_ASSERT_EQUAL(asnap_graph_block(&made->graph, first).reach, ASNAP_REACH_DEFINITE);
    for (size_t i = 1; i < count; i++) {
        uint64_t parent = report_page_number(page, "grle", 4 + 7 * i);
        uint32_t block = shown_block(made, page, "grle", 5 + 7 * i);
        CU_ASSERT_FATAL(parent < i);
        CU_ASSERT(refers(made, shown_block(made, page, "grle", 5 + 7 * parent), block));
        CU_ASSERT_EQUAL(asnap_graph_block(&made->graph, block).owner, first);
    }
    return count;
}

/* The blocks that keep most alive, those first that keep more. */
static void check_keepers(const struct made_graph *made, const struct report_page *page)
{
    size_t count = report_page_count(page, "grke") / 10;
    uint64_t before = UINT64_MAX;
    CU_ASSERT(count == 100 || count == made->graph.index.count);
    for (size_t i = 0; i < count; i++) {
        uint64_t size;
        uint64_t held;
        asnap_graph_retained(&made->graph, shown_block(made, page, "grke", 10 * i), &size, &held);
        CU_ASSERT_EQUAL(wide(page, "grke", 10 * i + 6), size);
        CU_ASSERT_EQUAL(wide(page, "grke", 10 * i + 8), held);
        CU_ASSERT(size <= before);
        before = size;
    }
}

ASNAP_TEST(export_graphs, reports_have_the_largest_leak_and_what_keeps_most_alive)
{
    size_t shown = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        struct made_graph made;
        struct report_page page = {0};
        const char *path = dump_path("graph.html");
        make(&made, seed);
        ASNAP_ASSERT_OK(export_as(&made, ASNAP_EXPORT_REPORT, path));
        report_page_read(path, &page);
        size_t here = check_leak(&made, &page);
        shown = here > shown ? here : shown;
        check_keepers(&made, &page);
        report_page_deinit(&page);
        unmake(&made);
    }
    CU_ASSERT(shown > 3);
}

struct step {
    struct made_graph *made;
    const char *path;
    enum asnap_export_format format;
};

static struct asnap_error *export_step(void *context)
{
    struct step *step = context;
    return export_as(step->made, step->format, step->path);
}

ASNAP_TEST(export_graphs, no_memory)
{
    struct made_graph made;
    make(&made, 24);
    struct step step = {.made = &made, .path = dump_path("graph.file")};
    for (int i = 0; asnap_export_describe((enum asnap_export_format)i) != NULL; i++) {
        step.format = (enum asnap_export_format)i;
        CU_ASSERT(asnap_unit_sweep(export_step, &step) > 2);
    }
    unmake(&made);
}

ASNAP_TEST(export_graphs, sizes_that_no_file_can_hold)
{
    struct made_graph made;
    make(&made, 24);
    made.heap.traces[3].size = UINT64_C(1) << 62;
    ASNAP_ASSERT_ERROR(export(&made, dump_path("graph.heapsnapshot")), ASNAP_ERROR_UNSUPPORTED);
    unmake(&made);
}

ASNAP_TEST(export_graphs, a_graph_is_needed)
{
    struct made_graph made;
    make(&made, 24);
    ASNAP_ASSERT_ERROR(asnap_export(made.snapshot, ASNAP_EXPORT_HEAPSNAPSHOT, NULL,
                                    dump_path("graph.heapsnapshot")),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    unmake(&made);
}
