/* Roots, in a program that is made up byte by byte: what is searched, and what is not. */
#include "allocsnap_statistics.h"
#include "program_image.h"

/* ---- files and what the kernel joins with them ---- */

ASNAP_TEST(graph_roots, zeros_of_a_file_end_where_the_heap_begins)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_put(&program, FILE_AT + 0x3f00, heap_blocks[0]);
    program_put(&program, FILE_AT + 0x4800, heap_blocks[1]);
    program_put(&program, HEAP_AT + 0x150, heap_blocks[2]);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrd");
    program.facts.gaps = ASNAP_GAPS_YES;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrp");
    program.facts.gaps = ASNAP_GAPS_AUTO;
    image_root(&program.image)->applied.sequence = 2;
    image_root(&program.image)->control.sequence = 2;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrp");
    program.facts.gaps = ASNAP_GAPS_NO;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrd");
    program_deinit(&program);
}

/* The hooks' memory is in the same mapping as a block. */
ASNAP_TEST(graph_roots, hooks_memory_is_none)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_map(&program, 0x7f0000000000, 0x4000, RW, NULL);
    uint64_t list = (IMAGE_PATHS + 0x10000) & ~UINT64_C(4095);
    struct asnap_table_own_page *page = image_at(&program.image, list);
    image_root(&program.image)->own_pages = list;
    page->ranges[7] = (struct asnap_table_own_range){0x7f0000001000, 0x1000};
    program_put(&program, 0x7f0000001800, heap_blocks[0]);
    program_put(&program, 0x7f0000002000, heap_blocks[1]);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "drd");
    program_deinit(&program);
}

/* ---- the heap's other mappings ---- */

/* A large block has a mapping of its own, which the kernel has joined with what lies behind it. */
ASNAP_TEST(graph_roots, a_mapped_block_ends_with_its_chunk)
{
    const uint64_t base = 0x7f0000000000;
    const uint64_t blocks[] = {HEAP_AT + 0x100, HEAP_AT + 0x200, HEAP_AT + 0x300, base + 16};
    const uint64_t sizes[] = {24, 24, 24, 0x2f00};
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_map(&program, base, 0x5000, RW, NULL);
    program_put(&program, base + 8, 0x3000 | 2);
    program_put(&program, base + 0x100, blocks[1]);  /* in the block, which is lost */
    program_put(&program, base + 0x2f80, blocks[2]); /* between its end and its chunk's */
    program_put(&program, base + 0x3008, blocks[0]); /* behind */
    CU_ASSERT_STRING_EQUAL(program_classes(&program, blocks, sizes, 4), "ridd");
    /* Of an allocator that is not known, all of the mapping is taken for its. */
    program_put(&program, base + 8, 0);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, blocks, sizes, 4), "didd");
    /* But not what lies around a thread pointer, its storage. */
    program_thread(&program, 0, base + 0x4000);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, blocks, sizes, 4), "rird");
    program_deinit(&program);
}

/* A heap of an arena is one, though no block be left in it. */
ASNAP_TEST(graph_roots, arenas_without_blocks_are_none)
{
    const uint64_t heap = UINT64_C(0x7f0008000000);
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_map(&program, heap, 0x21000, RW, NULL);
    program_put(&program, heap + 0x8000, heap_blocks[0]);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rdd");
    program_put(&program, heap, heap + 0x30);
    program_put(&program, heap + 16, 0x21000);
    program_put(&program, heap + 24, 0x21000);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "ddd");
    program_deinit(&program);
}

/* ---- stacks ---- */

#define STACK_AT UINT64_C(0x7f0000010000)

/* A guard and a stack of 0x8000 bytes, whose thread pointer is in its last page; behind it, in the
 * same mapping, a page of the program's. */
static void map_stack(struct program *program, uint64_t vector)
{
    program_map(program, STACK_AT, 0x1000, NONE, NULL);
    program_map(program, STACK_AT + 0x1000, 0x9000, RW, NULL);
    program_put_pthread(program, STACK_AT + 0x8600, vector, STACK_AT, 0x9000, 0x1000);
}

ASNAP_TEST(graph_roots, stacks_from_their_pointer_on)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    map_stack(&program, 0);
    program_thread(&program, STACK_AT + 0x5000, STACK_AT + 0x8600);
    program_put(&program, STACK_AT + 0x4f70, heap_blocks[0]); /* below the red zone */
    program_put(&program, STACK_AT + 0x4f80, heap_blocks[1]); /* in it */
    program_put(&program, STACK_AT + 0x9008, heap_blocks[2]); /* behind the stack */
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "drr");
    /* On another stack: this one whole, and that one. */
    program_map(&program, 0x7f0000100000, 0x2000, RW, NULL);
    program_put(&program, STACK_AT + 0x4f80, 0);
    program_put(&program, 0x7f0000100008, heap_blocks[1]);
    program.threads[0].stack_pointer = 0x7f0000101000;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrr");
    program_deinit(&program);
}

ASNAP_TEST(graph_roots, stacks_of_ended_threads_are_none)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    map_stack(&program, heap_blocks[2] + 16);
    program_map(&program, 0x7f0000100000, 0x1000, NONE, NULL);
    program_map(&program, 0x7f0000101000, 0x8000, RW, NULL);
    program_put_pthread(&program, 0x7f0000108000, 0, 0x7f0000100000, 0x9000, 0x1000);
    program_thread(&program, 0x7f0000107000, 0x7f0000108000);
    program_put(&program, STACK_AT + 0x8000, heap_blocks[0]);
    program_put(&program, STACK_AT + 0x9008, heap_blocks[1]); /* behind the stack */
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "drr");
    /* Where it is not known which threads there are, it may be one that runs. */
    program.facts.thread_count = 0;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrr");
    program_deinit(&program);
}

ASNAP_TEST(graph_roots, first_stack_is_the_kernels)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_map(&program, 0x7ffffffde000, 0x21000, RW, "[stack]");
    program_thread(&program, 0x7ffffffe0000, 0);
    program_put(&program, 0x7ffffffdff00, heap_blocks[0]);
    program_put(&program, 0x7ffffffe0010, heap_blocks[1]);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "drd");
    program.regions[program.piece_count - 1].path = NULL;
    program.facts.main_stack = 0x7ffffffefff0;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "drd");
    program_deinit(&program);
}

ASNAP_TEST(graph_roots, registers_and_a_stack_in_a_block)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_thread(&program, heap_blocks[1] + 16, 0);
    program.registers[0] = (struct asnap_register){heap_blocks[0], 0, "rbx"};
    program.registers[1] = (struct asnap_register){heap_blocks[2] + 8, 0, "r9"};
    program.facts.register_count = 2;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrp");
    program.facts.tag_mask = UINT64_C(0xff) << 56;
    program.registers[0].value |= UINT64_C(0xab) << 56;
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "rrp");
    program.facts.tag_mask = heap_blocks[1];
    struct asnap_graph *graph = NULL;
    struct asnap_snapshot *snapshot = program_snapshot(&program, heap_blocks, heap_sizes, 3);
    ASNAP_ASSERT_ERROR(asnap_graph_create(snapshot, &program.facts, &graph),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(graph);
    asnap_snapshot_destroy(snapshot);
    program_deinit(&program);
}

/* What is said first of a graph; "": nothing. */
static const char *first_note(struct program *program)
{
    static char text[256];
    struct asnap_graph *graph = NULL;
    struct asnap_snapshot *snapshot = program_snapshot(program, heap_blocks, heap_sizes, 3);
    ASNAP_ASSERT_OK(asnap_graph_create(snapshot, &program->facts, &graph));
    bool any = asnap_graph_note_count(graph) != 0;
    snprintf(text, sizeof(text), "%s", any ? asnap_graph_note(graph, 0) : "");
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    return text;
}

ASNAP_TEST(graph_roots, what_is_not_known_of_threads_is_said)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    CU_ASSERT_STRING_EQUAL(first_note(&program),
                           "no thread is known: blocks that only registers hold are shown as "
                           "leaked, and old values on stacks may hide others");
    program_thread(&program, HEAP_AT + 0x400, HEAP_AT + 0x500);
    CU_ASSERT_STRING_EQUAL(first_note(&program), "");
    program.threads[0].vectors_unknown = true;
    CU_ASSERT_STRING_EQUAL(first_note(&program),
                           "the vector registers of 1 of 1 threads are not known: blocks that only "
                           "they hold are shown as leaked");
    program.threads[0].registers_unknown = true;
    CU_ASSERT_STRING_EQUAL(first_note(&program),
                           "some registers of 1 of 1 threads are not known: blocks that only they "
                           "hold are shown as leaked");
    program.threads[0].vectors_unknown = program.threads[0].registers_unknown = false;
    program_thread(&program, HEAP_AT + 0x600, 0);
    CU_ASSERT_STRING_EQUAL(first_note(&program),
                           "the thread pointers of 1 of 2 threads are not known: old values on "
                           "stacks of threads that have ended may hide leaks");
    program.threads[1] = (struct asnap_thread){.number = 101, .vectors_unknown = true};
    CU_ASSERT_STRING_EQUAL(first_note(&program),
                           "the registers of 1 of 2 threads are not known: blocks that only they "
                           "hold are shown as leaked, and old values on stacks may hide others");
    program_deinit(&program);
}

/* ---- libraries whose pointers mean something else ---- */

ASNAP_TEST(graph_roots, lists_of_free_chunks_and_the_loader)
{
    const uint64_t base = 0x7f0000000000;
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_map(&program, base, 0x1000, RW, "/lib/libc.so.6");
    program_map(&program, base + 0x1000, 0x1000, RW, "/lib/ld-linux-x86-64.so.2");
    program_map(&program, base + 0x2000, 0x1000, RW, "/lib/libother.so");
    program_put(&program, base + 0x100,
                heap_blocks[0] + 16); /* a chunk of 32 bytes ends 8 before */
    program_put(&program, base + 0x1100, heap_blocks[1] + 16);
    program_put(&program, base + 0x2100, heap_blocks[2] + 16);
    CU_ASSERT_STRING_EQUAL(program_classes(&program, heap_blocks, heap_sizes, 3), "drp");
    program_deinit(&program);
}

/* ---- filters by class ---- */

/* The bytes that filters keep of blocks of three classes: 8 reachable, 16 possible, 32 definite. */
static uint64_t kept(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                     const struct asnap_filter *filters, size_t count)
{
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_graph_filter(graph, snapshot, filters, count, &filtered));
    uint64_t size = asnap_snapshot_size(filtered);
    asnap_snapshot_destroy(filtered);
    return size;
}

#define KEPT(...)                                                                                  \
    kept(graph, snapshot, (const struct asnap_filter[]){__VA_ARGS__},                              \
         sizeof((const struct asnap_filter[]){__VA_ARGS__}) / sizeof(struct asnap_filter))
#define OF(NAME) (1u << ASNAP_REACH_##NAME)

ASNAP_TEST(graph_filters, by_class)
{
    static const uint64_t sizes[] = {8, 16, 32};
    struct program program;
    program_init(&program);
    program_load_file(&program);
    program_put(&program, FILE_AT + 0x3f00, heap_blocks[0]);
    program_put(&program, FILE_AT + 0x4800, heap_blocks[1] + 4);
    struct asnap_snapshot *snapshot = program_snapshot(&program, heap_blocks, sizes, 3);
    struct asnap_graph *graph = NULL;
    ASNAP_ASSERT_OK(asnap_graph_create(snapshot, &program.facts, &graph));
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .classes = OF(REACHABLE)}), 8);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .classes = OF(POSSIBLE)}), 16);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .classes = OF(INDIRECT)}), 0);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false, .classes = OF(DEFINITE)}), 24);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .classes = OF(DEFINITE) | OF(POSSIBLE)}), 48);
    CU_ASSERT_EQUAL(
        KEPT({.inclusive = true, .classes = OF(DEFINITE)}, {.inclusive = true, .has_domain = true}),
        56);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .has_domain = true},
                         {.inclusive = false, .classes = OF(DEFINITE)}),
                    24);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "main.c"}), 56);
    CU_ASSERT_EQUAL(
        KEPT({.inclusive = true, .filename_pattern = "other.c", .classes = OF(DEFINITE)}), 0);
    struct asnap_filter filter = {.inclusive = true, .classes = OF(DEFINITE)};
    struct asnap_snapshot *untouched = NULL;
    struct asnap_error *error = asnap_snapshot_filter(snapshot, &filter, 1, &untouched);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(untouched);
    asnap_error_destroy(error);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    program_deinit(&program);
}

/* ---- no memory, and memory of anything ---- */

static struct program *swept;
static struct asnap_snapshot *swept_snapshot;

static struct asnap_error *make_once(void *context)
{
    struct asnap_graph *graph = NULL;
    (void)context;
    struct asnap_error *error = asnap_graph_create(swept_snapshot, &swept->facts, &graph);
    struct asnap_filter filter = {.inclusive = true, .classes = OF(REACHABLE)};
    struct asnap_snapshot *filtered = NULL;
    if (error == NULL)
        error = asnap_graph_retain(graph, NULL);
    if (error == NULL)
        error = asnap_graph_filter(graph, swept_snapshot, &filter, 1, &filtered);
    struct asnap_statistics *statistics = NULL;
    if (error == NULL)
        error = asnap_statistics_create(swept_snapshot, ASNAP_KEY_LINENO, false, &statistics);
    if (error == NULL)
        error =
            asnap_statistics_add_graph(statistics, swept_snapshot, graph, ASNAP_BESIDE_RETAINED);
    if (error == NULL)
        error = asnap_statistics_add_exact(statistics, swept_snapshot, graph, 0, NULL);
    if (error == NULL)
        CU_ASSERT_EQUAL(asnap_statistics_beside_sum(statistics, 0).exact_count, 3);
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(filtered);
    asnap_graph_destroy(graph);
    return error;
}

ASNAP_TEST(graph_roots, every_allocation_may_fail)
{
    struct program program;
    program_init(&program);
    program_load_file(&program);
    map_stack(&program, heap_blocks[2] + 16);
    program_thread(&program, STACK_AT + 0x5000, STACK_AT + 0x8600);
    program.registers[0] = (struct asnap_register){heap_blocks[0], 0, "rbx"};
    program.facts.register_count = 1;
    swept = &program;
    swept_snapshot = program_snapshot(&program, heap_blocks, heap_sizes, 3);
    CU_ASSERT(asnap_unit_sweep(make_once, NULL) > 20);
    asnap_snapshot_destroy(swept_snapshot);
    program_deinit(&program);
}

static uint64_t random_word(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 11;
}

/* A word that may mean something: an address in one of the pieces, a small number, anything. */
static uint64_t odd_word(const struct program *program, uint64_t *state)
{
    uint64_t kind = random_word(state) % 4;
    const struct asnap_region *region =
        &program->regions[random_word(state) % program->piece_count];
    uint64_t inside = random_word(state) % (region->end - region->start);
    if (kind == 0)
        return region->start + inside;
    if (kind == 1)
        return region->start + inside / 4096 * 4096;
    return kind == 2 ? (random_word(state) % 64) * 0x1000 : random_word(state);
}

/* Whatever is in the memory of the program and its registers, there is a graph. */
ASNAP_TEST(graph_roots, memory_of_anything)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct program program;
        struct asnap_graph *graph = NULL;
        uint64_t state = seed;
        program_init(&program);
        program_load_file(&program);
        program_map(&program, 0x7f0000000000, 0x9000, RW, seed % 2 == 0 ? NULL : "/lib/libc.so.6");
        map_stack(&program, 1);
        program_map(&program, 0x7f0008000000, 0x3000, RW, NULL);
        for (size_t i = 0; i < program.piece_count; i++) {
            const struct asnap_region *region = &program.regions[i];
            bool is_head = region->file_offset == 0 && i == 0 && seed % 4 != 0;
            for (uint64_t place = region->start;
                 region->flags != NONE && !is_head && place < region->end; place += 8)
                if (random_word(&state) % 3 == 0)
                    program_put(&program, place, odd_word(&program, &state));
        }
        for (size_t i = 0; i < 3; i++)
            program_thread(&program, odd_word(&program, &state), odd_word(&program, &state));
        program.registers[0] = (struct asnap_register){odd_word(&program, &state), 0, "rbx"};
        program.facts.register_count = 1;
        program.facts.gaps = (uint32_t)(seed % 3);
        struct asnap_snapshot *snapshot = program_snapshot(&program, heap_blocks, heap_sizes, 3);
        ASNAP_ASSERT_OK(asnap_graph_create(snapshot, &program.facts, &graph));
        CU_ASSERT_EQUAL(asnap_graph_block_count(graph), 3);
        asnap_graph_destroy(graph);
        asnap_snapshot_destroy(snapshot);
        program_deinit(&program);
    }
}
