/* The classes of blocks beside them, where a graph was computed. */
#include <stdio.h>
#include <string.h>

#include "made_graph.h"

/* Four blocks of each class, by address: reachable, definite, indirect (held by the one before),
 * possible. */
static struct asnap_graph *four(struct graph_heap *heap, struct asnap_snapshot **snapshot)
{
    static const uint64_t sizes[] = {16, 24, 32, 40};
    static const struct asnap_root_pointer roots[] = {
        {.edge = 0},
        {.edge = 3 | (uint32_t)ASNAP_EDGE_INSIDE << ASNAP_EDGE_KIND_SHIFT},
    };
    graph_heap_init(heap, 4096, 1);
    for (size_t i = 0; i < 4; i++)
        graph_heap_add(heap, 64 * i, sizes[i]);
    graph_heap_write(heap, 64, HEAP_BASE + 128);
    *snapshot = made_graph_snapshot(heap);
    return made_graph(*snapshot, heap, roots, 2);
}

/* The text of the blocks or, with an address in the heap, of the one that is there. */
static char *render(const struct asnap_snapshot *snapshot, const struct asnap_graph *graph,
                    enum asnap_format format, uint64_t offset)
{
    struct asnap_render_options options = {.graph = graph};
    char *text = NULL;
    ASNAP_ASSERT_OK(offset == UINT64_MAX
                        ? asnap_render_traces(snapshot, format, &options, &text)
                        : asnap_render_who(snapshot, HEAP_BASE + offset, format, &options, &text));
    return text;
}

static void check_has(char *text, const char *wanted)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
    if (strstr(text, wanted) == NULL)
        fprintf(stderr, "%s", text);
    asnap_string_destroy(text);
}

ASNAP_TEST(render_reach, traces)
{
    struct graph_heap heap;
    struct asnap_snapshot *snapshot;
    struct asnap_graph *graph = four(&heap, &snapshot);
    check_has(render(snapshot, graph, ASNAP_FORMAT_TEXT, UINT64_MAX),
              "#1: 0x7f12345000c0: size=40 B, possible, at /src/a.c:1\n"
              "#2: 0x7f1234500080: size=32 B, indirect, at /src/a.c:3\n"
              "#3: 0x7f1234500040: size=24 B, definite, at /src/a.c:2\n"
              "#4: 0x7f1234500000: size=16 B, reachable, at /src/a.c:1\n");
    char *text = render(snapshot, graph, ASNAP_FORMAT_JSON, UINT64_MAX);
    static const char *const words[] = {"possible", "indirect", "definite", "reachable"};
    const char *rest = text;
    for (size_t i = 0; i < 4 && rest != NULL; i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), ",\"total_nframe\":1,\"reach\":\"%s\"}", words[i]);
        rest = strstr(rest, wanted);
        CU_ASSERT_PTR_NOT_NULL(rest);
    }
    asnap_string_destroy(text);
    text = render(snapshot, NULL, ASNAP_FORMAT_JSON, UINT64_MAX);
    CU_ASSERT_PTR_NULL(strstr(text, "reach"));
    asnap_string_destroy(text);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    graph_heap_deinit(&heap);
}

ASNAP_TEST(render_reach, who)
{
    struct graph_heap heap;
    struct asnap_snapshot *snapshot;
    struct asnap_graph *graph = four(&heap, &snapshot);
    check_has(render(snapshot, graph, ASNAP_FORMAT_TEXT, 64),
              "0x7f1234500040: a block, size=24 B, definite\n");
    check_has(render(snapshot, graph, ASNAP_FORMAT_JSON, 129),
              ",\"total_nframe\":1,\"reach\":\"indirect\"},\"offset\":1,\"reach\":\"indirect\","
              "\"start\"");
    /* In no block, but after one. */
    check_has(render(snapshot, graph, ASNAP_FORMAT_JSON, 64 + 24),
              "\"trace\":null,\"offset\":null,\"reach\":null,\"near\":{");
    check_has(render(snapshot, NULL, ASNAP_FORMAT_JSON, 129),
              ",\"total_nframe\":1},\"offset\":1,\"reach\":null,\"start\"");
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    graph_heap_deinit(&heap);
}

/* Blocks that are not those of the graph have none. */
ASNAP_TEST(render_reach, of_another_snapshot)
{
    struct graph_heap heap, larger;
    struct asnap_snapshot *snapshot, *other;
    struct asnap_graph *graph = four(&heap, &snapshot);
    graph_heap_init(&larger, 4096, 1);
    graph_heap_add(&larger, 64, 25);
    other = made_graph_snapshot(&larger);
    check_has(render(other, graph, ASNAP_FORMAT_JSON, UINT64_MAX), ",\"reach\":null}");
    check_has(render(other, graph, ASNAP_FORMAT_TEXT, UINT64_MAX), "size=25 B, at /src/a.c:1\n");
    asnap_snapshot_destroy(other);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    graph_heap_deinit(&larger);
    graph_heap_deinit(&heap);
}
