/* What the library asks its caller on the way through the graph, memory and whether to go on, may
 * end it at any time, and so may any allocation: the error says so, nothing is left behind, and
 * what there was can be asked again. */

#include "allocsnap_graph.h"
#include "allocsnap_statistics.h"
#include "graph_heap.h"
#include "table_image.h"

enum { HEAP_BYTES = 1 << 16, ROOT_BYTES = 4096, ROOT_POINTERS = 6 };

/* A program with a random heap, whose last page is no allocator's but a mapping that leads into it.
 */
struct asked {
    struct image image;
    struct graph_heap heap;
    struct asnap_memory memory;
    struct asnap_progress progress;
    struct asnap_region regions[2];
    struct asnap_graph_facts facts;
    struct asnap_snapshot *snapshot;
    size_t asked;      /* how often memory or whether to go on was asked */
    size_t stop_at;    /* there the answer is to stop; SIZE_MAX: never */
    uint64_t top_size; /* what one block keeps alive, the most; 0: not known */
};

static int read_program(void *context, uint64_t address, void *buffer, size_t size)
{
    struct asked *asked = context;
    if (asked->asked++ == asked->stop_at)
        return ASNAP_READ_INTERRUPTED;
    const struct asnap_memory *memory =
        address < HEAP_BASE ? &asked->image.memory : &asked->heap.memory;
    return memory->read(memory->context, address, buffer, size);
}

static bool goes_on(void *context, const char *step, uint64_t done, uint64_t total)
{
    struct asked *asked = context;
    CU_ASSERT(step[0] != '\0');
    CU_ASSERT(total == 0 || done <= total);
    return asked->asked++ != asked->stop_at;
}

static struct asnap_snapshot *snapshot_of(struct graph_heap *heap)
{
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    struct asnap_frame frames[] = {{.filename = "a.c", .lineno = 1},
                                   {.filename = "b.c", .lineno = 2}};
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t frame, traceback;
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frames[i], 0, ASNAP_NO_MAPPING, &frame));
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &frame, 1, 1, &traceback));
        for (size_t j = i; j < heap->count; j += 2) {
            heap->traces[j].traceback_id = traceback;
            heap->traces[j].time = ASNAP_TIME_UNKNOWN;
        }
    }
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, heap->traces, heap->count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

static void asked_init(struct asked *asked)
{
    const uint32_t flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    const uint64_t root = HEAP_BASE + HEAP_BYTES;
    *asked = (struct asked){.stop_at = SIZE_MAX};
    image_init(&asked->image);
    graph_heap_init(&asked->heap, HEAP_BYTES + ROOT_BYTES, 5);
    asked->heap.size = HEAP_BYTES;
    graph_heap_fill(&asked->heap, 200, 600);
    asked->heap.size += ROOT_BYTES;
    for (size_t i = 0; i < ROOT_POINTERS; i++)
        graph_heap_write(&asked->heap, HEAP_BYTES + 64 * i, asked->heap.traces[i].address);
    asked->memory = (struct asnap_memory){.read = read_program, .context = asked};
    asked->progress = (struct asnap_progress){.report = goes_on, .context = asked};
    asked->regions[0] =
        (struct asnap_region){.start = HEAP_BASE, .end = root, .path = "[heap]", .flags = flags};
    asked->regions[1] =
        (struct asnap_region){.start = root, .end = root + ROOT_BYTES, .flags = flags};
    asked->facts = (struct asnap_graph_facts){.memory = &asked->memory,
                                              .root_address = IMAGE_BASE,
                                              .regions = asked->regions,
                                              .region_count = 2,
                                              .progress = &asked->progress};
    asked->snapshot = snapshot_of(&asked->heap);
    /* What a snapshot makes when it is first asked is its own. */
    const struct asnap_trace *traces;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(asked->snapshot, &traces));
}

static void asked_deinit(struct asked *asked)
{
    asnap_snapshot_destroy(asked->snapshot);
    graph_heap_deinit(&asked->heap);
    image_deinit(&asked->image);
}

/* ---- one after the other, all that the graph does ---- */

/* Whether an error is that somebody has stopped it, where nobody does from now on. */
static bool was_stopped(struct asked *asked, struct asnap_error *error)
{
    if (error == NULL || asnap_error_code(error) != ASNAP_ERROR_INTERRUPTED)
        return false;
    asked->stop_at = SIZE_MAX;
    return true;
}

/* The block that keeps most alive: the same each time. */
static uint32_t find_top(struct asked *asked, const struct asnap_graph *graph)
{
    uint32_t top = 0;
    uint64_t size, count;
    asnap_graph_top(graph, 1, &top);
    asnap_graph_retained(graph, top, &size, &count);
    if (asked->top_size == 0)
        asked->top_size = size;
    CU_ASSERT(count > 1);
    CU_ASSERT_EQUAL(size, asked->top_size);
    return top;
}

/* What was stopped works when it is asked again. */
static struct asnap_error *retain(struct asked *asked, struct asnap_graph *graph)
{
    struct asnap_error *error = asnap_graph_retain(graph, &asked->progress);
    if (was_stopped(asked, error)) {
        ASNAP_ASSERT_OK(asnap_graph_retain(graph, &asked->progress));
        find_top(asked, graph);
    }
    return error;
}

static struct asnap_error *find_ways(struct asnap_graph *graph, uint32_t block)
{
    struct asnap_reference references[8];
    struct asnap_graph_paths *paths = NULL;
    size_t roots, blocks, count = 1;
    struct asnap_error *error = asnap_graph_referrers(graph, block, references, 8, &roots, &blocks);
    if (error == NULL)
        error = asnap_graph_paths_create(graph, block, &paths);
    while (error == NULL && count != 0) {
        const uint32_t *way;
        error = asnap_graph_paths_next(paths, references, &way, &count);
    }
    asnap_graph_paths_destroy(paths);
    return error;
}

static struct asnap_error *choose(const struct asked *asked, const struct asnap_graph *graph)
{
    const struct asnap_filter filter = {.inclusive = true, .classes = 1u << ASNAP_REACH_REACHABLE};
    struct asnap_snapshot *selected = NULL;
    struct asnap_snapshot *filtered = NULL;
    struct asnap_error *error =
        asnap_graph_select(graph, asked->snapshot, 1u << ASNAP_REACH_DEFINITE, &selected);
    if (error == NULL)
        error = asnap_graph_filter(graph, asked->snapshot, &filter, 1, &filtered);
    asnap_snapshot_destroy(selected);
    asnap_snapshot_destroy(filtered);
    return error;
}

static struct asnap_error *sum_up(struct asked *asked, const struct asnap_graph *graph)
{
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error =
        asnap_statistics_create(asked->snapshot, ASNAP_KEY_LINENO, false, &statistics);
    if (error == NULL)
        error =
            asnap_statistics_add_graph(statistics, asked->snapshot, graph, ASNAP_BESIDE_RETAINED);
    if (error == NULL) {
        error = asnap_statistics_add_exact(statistics, asked->snapshot, graph, 0, &asked->progress);
        if (was_stopped(asked, error))
            ASNAP_ASSERT_OK(asnap_statistics_add_exact(statistics, asked->snapshot, graph, 0,
                                                       &asked->progress));
    }
    asnap_statistics_destroy(statistics);
    return error;
}

static struct asnap_error *do_all(void *context)
{
    struct asked *asked = context;
    struct asnap_graph *graph = NULL;
    struct asnap_vtable_list *list = NULL;
    struct asnap_error *error = asnap_graph_create(asked->snapshot, &asked->facts, &graph);
    if (error == NULL)
        error = retain(asked, graph);
    if (error == NULL)
        error = find_ways(graph, find_top(asked, graph));
    if (error == NULL)
        error = choose(asked, graph);
    if (error == NULL)
        error = sum_up(asked, graph);
    if (error == NULL)
        error = asnap_vtable_list_create(asked->snapshot, &asked->facts, &list);
    asnap_vtable_list_destroy(list);
    asnap_graph_destroy(graph);
    return error;
}

ASNAP_TEST(graph_steps, each_question_may_be_the_last)
{
    struct asked asked;
    asked_init(&asked);
    ASNAP_ASSERT_OK(do_all(&asked));
    size_t questions = asked.asked;
    int64_t live = asnap_unit_live();
    CU_ASSERT(questions > 10);
    for (size_t i = 0; i < questions; i++) {
        asked.asked = 0;
        asked.stop_at = i;
        ASNAP_ASSERT_ERROR(do_all(&asked), ASNAP_ERROR_INTERRUPTED);
        CU_ASSERT_EQUAL(asnap_unit_live(), live);
    }
    asked.stop_at = SIZE_MAX;
    ASNAP_ASSERT_OK(do_all(&asked));
    asked_deinit(&asked);
}

ASNAP_TEST(graph_steps, each_allocation_may_fail)
{
    struct asked asked;
    asked_init(&asked);
    ASNAP_ASSERT_OK(do_all(&asked));
    int64_t live = asnap_unit_live();
    CU_ASSERT(asnap_unit_sweep(do_all, &asked) > 60);
    CU_ASSERT_EQUAL(asnap_unit_live(), live);
    asked_deinit(&asked);
}
