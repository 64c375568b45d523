/* Blocks out of glibc's own structures, in memory that is made byte by byte. */
#include <string.h>

#include "made_heap.h"
#include "unit.h"

static struct made_heap made;

static struct asnap_heap *read_made_heap(void)
{
    struct asnap_heap *heap = NULL;
    ASNAP_ASSERT_OK(asnap_heap_read(&made.facts, &heap));
    return heap;
}

/* The use of the chunk at an address, -1 where none is. */
static int use_at(const struct asnap_heap *heap, uint64_t chunk)
{
    for (size_t i = 0; i < asnap_heap_chunk_count(heap); i++) {
        struct asnap_heap_chunk found = asnap_heap_chunk(heap, i);
        if (found.address == chunk + 16)
            return (int)found.use;
    }
    return -1;
}

static uint64_t live_count(const struct asnap_heap *heap)
{
    uint64_t count = 0;
    for (size_t i = 0; i < asnap_heap_area_count(heap); i++)
        count += asnap_heap_area(heap, i).sums[ASNAP_CHUNK_LIVE].count;
    return count;
}

static bool has_note(const struct asnap_heap *heap, const char *text)
{
    for (size_t i = 0; i < asnap_heap_note_count(heap); i++) {
        if (strstr(asnap_heap_note(heap, i), text) != NULL)
            return true;
    }
    return false;
}

/* The bytes of all chunks of an area. */
static uint64_t area_bytes(const struct asnap_heap *heap, size_t area)
{
    uint64_t bytes = 0;
    for (size_t use = 0; use < ASNAP_CHUNK_USES; use++)
        bytes += asnap_heap_area(heap, area).sums[use].size;
    return bytes;
}

/* A main arena with a chunk of each use. */
struct each_use {
    struct made_place place;
    uint64_t cache;
    uint64_t live;
    uint64_t cached[2];
    uint64_t fast[2];
    uint64_t free;
    uint64_t last;
};

static struct each_use make_each_use(bool is_old)
{
    struct each_use each;
    made_heap_init(&made, is_old);
    each.place = made_brk(&made);
    each.cache = made_cache(&each.place, true);
    each.live = made_chunk(&each.place, 48, false);
    for (size_t i = 0; i < 2; i++)
        each.cached[i] = made_chunk(&each.place, 64, false);
    for (size_t i = 0; i < 2; i++)
        each.fast[i] = made_chunk(&each.place, 64, false);
    each.free = made_chunk(&each.place, 400, true);
    each.last = made_chunk(&each.place, 32, false);
    made_top(&each.place, MADE_BRK + MADE_BRK_PAGES * MADE_PAGE);
    for (size_t i = 0; i < 2; i++) {
        made_add_cached(&made, each.cache, each.cached[i]);
        made_add_fast(&each.place, each.fast[i]);
    }
    return each;
}

static void check_each_use(bool is_old)
{
    struct each_use each = make_each_use(is_old);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(use_at(heap, each.cache), ASNAP_CHUNK_OWN);
    CU_ASSERT_EQUAL(use_at(heap, each.live), ASNAP_CHUNK_LIVE);
    CU_ASSERT_EQUAL(use_at(heap, each.last), ASNAP_CHUNK_LIVE);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(use_at(heap, each.cached[i]), ASNAP_CHUNK_CACHED);
        CU_ASSERT_EQUAL(use_at(heap, each.fast[i]), ASNAP_CHUNK_FAST);
    }
    CU_ASSERT_EQUAL(use_at(heap, each.free), ASNAP_CHUNK_FREE);
    CU_ASSERT_EQUAL(use_at(heap, each.place.at), ASNAP_CHUNK_TOP);
    CU_ASSERT_EQUAL(live_count(heap), 2);
    CU_ASSERT_EQUAL(asnap_heap_area_count(heap), 2);
    CU_ASSERT_EQUAL(area_bytes(heap, 0), MADE_BRK_PAGES * MADE_PAGE);
    CU_ASSERT_EQUAL(asnap_heap_area(heap, 0).size, MADE_BRK_PAGES * MADE_PAGE);
    CU_ASSERT_EQUAL(asnap_heap_area(heap, 0).kind, ASNAP_AREA_MAIN);
    CU_ASSERT_EQUAL(asnap_heap_area(heap, 1).kind, ASNAP_AREA_MAPPED);
    CU_ASSERT_EQUAL(asnap_heap_note_count(heap), 0);
    asnap_heap_destroy(heap);
}

ASNAP_TEST(heaps, tells_the_uses_of_chunks)
{
    check_each_use(false);
    check_each_use(true);
}

/* Usable are 8 bytes less than a chunk has: of 64 bytes 56, in the class from 32 on. */
ASNAP_TEST(heaps, sums_up_classes_of_sizes)
{
    make_each_use(false);
    struct asnap_heap *heap = read_made_heap();
    struct asnap_heap_sum sums[ASNAP_HEAP_CLASSES][ASNAP_CHUNK_USES];
    asnap_heap_classes(heap, sums);
    CU_ASSERT_EQUAL(sums[5][ASNAP_CHUNK_LIVE].size, 48);
    CU_ASSERT_EQUAL(sums[4][ASNAP_CHUNK_LIVE].size, 32);
    CU_ASSERT_EQUAL(sums[5][ASNAP_CHUNK_CACHED].count, 2);
    CU_ASSERT_EQUAL(sums[5][ASNAP_CHUNK_FAST].size, 128);
    CU_ASSERT_EQUAL(sums[8][ASNAP_CHUNK_FREE].size, 400);
    CU_ASSERT_EQUAL(sums[8][ASNAP_CHUNK_FREE].count, 1);
    CU_ASSERT_EQUAL(sums[9][ASNAP_CHUNK_OWN].count, 1);
    asnap_heap_destroy(heap);
}

ASNAP_TEST(heaps, gives_raw_traces)
{
    struct each_use each = make_each_use(false);
    struct asnap_heap *heap = read_made_heap();
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_heap_raw(heap, &raw));
    CU_ASSERT_EQUAL(asnap_raw_trace_count(raw), 2);
    struct asnap_symbolizer *symbolizer;
    struct asnap_snapshot *snapshot;
    const struct asnap_trace *traces;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_OK(asnap_snapshot_create(raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    CU_ASSERT_EQUAL(asnap_snapshot_size(snapshot), 40 + 24);
    CU_ASSERT_EQUAL(traces[0].address, each.live + 16);
    CU_ASSERT_EQUAL(traces[0].size, 40);
    CU_ASSERT_EQUAL(traces[0].time, ASNAP_TIME_UNKNOWN);
    CU_ASSERT_EQUAL(traces[1].address, each.last + 16);
    CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(snapshot)[0].frame_count, 1);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_frame(snapshot, 0).filename, "<unknown>");
    CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(snapshot)[0].total_nframe, ASNAP_TOTAL_UNKNOWN);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_snapshot_note(snapshot, 0), "without stacks"));
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
    asnap_raw_destroy(raw);
    asnap_heap_destroy(heap);
}

/* The symbol is one more place to look at; what is not there is not taken. */
ASNAP_TEST(heaps, checks_the_symbol)
{
    make_each_use(false);
    made.facts.main_arena = MADE_ARENA;
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(asnap_heap_area_count(heap), 2);
    asnap_heap_destroy(heap);
    made.facts.main_arena = MADE_ARENA + 16;
    heap = read_made_heap();
    CU_ASSERT_EQUAL(asnap_heap_area_count(heap), 2);
    asnap_heap_destroy(heap);
    /* Where no code of the file is mapped, it is none that is searched. */
    made.facts.region_count = MADE_REGIONS - 1;
    made.facts.main_arena = MADE_ARENA;
    heap = read_made_heap();
    CU_ASSERT_EQUAL(asnap_heap_area_count(heap), 2);
    asnap_heap_destroy(heap);
    made.facts.main_arena = 0;
    ASNAP_ASSERT_ERROR(asnap_heap_read(&made.facts, &heap), ASNAP_ERROR_UNSUPPORTED);
}

/* Nothing was allocated yet. */
ASNAP_TEST(heaps, finds_an_unused_arena)
{
    made_heap_init_regions(&made);
    made_write(&made, MADE_ARENA + MADE_NEXT_ARENA, MADE_ARENA);
    made_write(&made, MADE_ARENA + MADE_ATTACHED, 1);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(asnap_heap_area_count(heap), 2);
    CU_ASSERT_EQUAL(asnap_heap_chunk_count(heap), 0);
    asnap_heap_destroy(heap);
    made_write(&made, MADE_ARENA + 8, 1);
    ASNAP_ASSERT_ERROR(asnap_heap_read(&made.facts, &heap), ASNAP_ERROR_UNSUPPORTED);
}

/* What must hold of an arena: each time one thing does not. */
ASNAP_TEST(heaps, takes_nothing_else_for_an_arena)
{
    static const struct {
        uint64_t offset;
        uint64_t word;
    } wrong[] = {
        {0, 3},                                   /* mutex */
        {MADE_FAST + 8, 8},                       /* a fast bin's chunk is not aligned */
        {MADE_TOP, 0},                            /* no top */
        {MADE_TOP, MADE_LIBC + 16 * MADE_PAGE},   /* the top is in code */
        {MADE_TOP, UINT64_C(0x123456780)},        /* or nowhere */
        {MADE_BINS, 0},                           /* a bin leads nowhere */
        {MADE_NEXT_ARENA, 0},                     /* the list of arenas */
        {MADE_NEXT_ARENA, UINT64_C(0x123456780)}, /* likewise */
        {MADE_SYSTEM, UINT64_MAX},                /* more memory than there is */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct asnap_heap *heap = NULL;
        make_each_use(false);
        made_write(&made, MADE_ARENA + wrong[i].offset, wrong[i].word);
        ASNAP_ASSERT_ERROR(asnap_heap_read(&made.facts, &heap), ASNAP_ERROR_UNSUPPORTED);
    }
}

/* An empty cache is a block of zeros; what a thread has is one, another's block is not. */
ASNAP_TEST(heaps, asks_threads_for_empty_caches)
{
    made_heap_init(&made, false);
    struct made_place place = made_brk(&made);
    uint64_t first = made_cache(&place, false);
    uint64_t zeros = made_cache(&place, false);
    uint64_t named = made_cache(&place, true);
    made_top(&place, MADE_BRK + MADE_BRK_PAGES * MADE_PAGE);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(use_at(heap, first), ASNAP_CHUNK_OWN);
    CU_ASSERT_EQUAL(use_at(heap, zeros), ASNAP_CHUNK_LIVE);
    CU_ASSERT_EQUAL(use_at(heap, named), ASNAP_CHUNK_OWN);
    asnap_heap_destroy(heap);
    /* Without the thread's storage, it is not known. */
    made.facts.thread_count = 0;
    heap = read_made_heap();
    CU_ASSERT_EQUAL(use_at(heap, named), ASNAP_CHUNK_LIVE);
    asnap_heap_destroy(heap);
}

ASNAP_TEST(heaps, says_where_no_cache_is)
{
    made_heap_init(&made, false);
    struct made_place place = made_brk(&made);
    made_chunk(&place, 64, false);
    made_top(&place, MADE_BRK + MADE_BRK_PAGES * MADE_PAGE);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(live_count(heap), 1);
    CU_ASSERT(has_note(heap, "no thread's cache"));
    asnap_heap_destroy(heap);
}

/* An arena of two heaps: the first ends with fences, the second has the top. */
ASNAP_TEST(heaps, reads_other_arenas)
{
    enum { FENCES = 32 };
    struct each_use each = make_each_use(false);
    struct made_place place = made_other(&made);
    uint64_t end = MADE_OTHER + MADE_OTHER_PAGES * MADE_PAGE;
    uint64_t first = made_chunk(&place, 96, false);
    uint64_t rest = made_chunk(&place, end - FENCES - place.at, true);
    made_chunk(&place, 16, true);
    made_write(&made, place.at + 8, 1);
    made_write(&made, place.last + 8, 16);
    made_write(&made, MADE_NEXT, MADE_OTHER_ARENA);
    made_write(&made, MADE_NEXT + 8, MADE_OTHER);
    made_write(&made, MADE_NEXT + 16, MADE_NEXT_PAGES * MADE_PAGE);
    place = (struct made_place){.heap = &made, .at = MADE_NEXT + 48, .arena = MADE_OTHER_ARENA};
    uint64_t second = made_chunk(&place, 96, false);
    made_top(&place, MADE_NEXT + MADE_NEXT_PAGES * MADE_PAGE);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(asnap_heap_note_count(heap), 0);
    CU_ASSERT_EQUAL(asnap_heap_area_count(heap), 3);
    CU_ASSERT_EQUAL(asnap_heap_area(heap, 1).kind, ASNAP_AREA_ARENA);
    CU_ASSERT_EQUAL(asnap_heap_area(heap, 1).address, MADE_OTHER_ARENA);
    CU_ASSERT_EQUAL(live_count(heap), 4);
    CU_ASSERT_EQUAL(use_at(heap, each.live), ASNAP_CHUNK_LIVE);
    CU_ASSERT_EQUAL(use_at(heap, first), ASNAP_CHUNK_LIVE);
    CU_ASSERT_EQUAL(use_at(heap, rest), ASNAP_CHUNK_FREE);
    CU_ASSERT_EQUAL(use_at(heap, second), ASNAP_CHUNK_LIVE);
    asnap_heap_destroy(heap);
    /* A list of heaps that leads round. */
    made_write(&made, MADE_OTHER + 8, MADE_NEXT);
    heap = read_made_heap();
    CU_ASSERT(has_note(heap, "is passed over"));
    CU_ASSERT_EQUAL(live_count(heap), 2);
    asnap_heap_destroy(heap);
}

ASNAP_TEST(heaps, ends_with_damaged_lists_of_arenas)
{
    make_each_use(false);
    struct made_place place = made_other(&made);
    made_chunk(&place, 96, false);
    made_top(&place, MADE_OTHER + MADE_OTHER_PAGES * MADE_PAGE);
    made_write(&made, MADE_OTHER_ARENA + MADE_NEXT_ARENA, MADE_OTHER_ARENA);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT(has_note(heap, "the list of arenas leads to"));
    CU_ASSERT_EQUAL(live_count(heap), 3);
    asnap_heap_destroy(heap);
    made_write(&made, MADE_OTHER, 0);
    heap = read_made_heap();
    CU_ASSERT(has_note(heap, "is not at the start of a heap"));
    CU_ASSERT_EQUAL(live_count(heap), 2);
    asnap_heap_destroy(heap);
}

ASNAP_TEST(heaps, finds_large_blocks)
{
    make_each_use(false);
    made_mapped(&made, MADE_MAPPED, MADE_PAGE);
    made_mapped(&made, MADE_MAPPED + 2 * MADE_PAGE, 2 * MADE_PAGE);
    struct asnap_heap *heap = read_made_heap();
    CU_ASSERT_EQUAL(live_count(heap), 4);
    CU_ASSERT_EQUAL(asnap_heap_note_count(heap), 0);
    struct asnap_heap_chunk last = asnap_heap_chunk(heap, asnap_heap_chunk_count(heap) - 1);
    CU_ASSERT_EQUAL(last.address, MADE_MAPPED + 2 * MADE_PAGE + 16);
    CU_ASSERT_EQUAL(last.usable, 2 * MADE_PAGE - 16);
    asnap_heap_destroy(heap);
    /* A large alignment moves the chunk on. */
    made_write(&made, MADE_MAPPED + 2 * MADE_PAGE + 1008, 1008);
    made_write(&made, MADE_MAPPED + 2 * MADE_PAGE + 1016, (2 * MADE_PAGE - 1008) | 2);
    heap = read_made_heap();
    last = asnap_heap_chunk(heap, asnap_heap_chunk_count(heap) - 1);
    CU_ASSERT_EQUAL(last.address, MADE_MAPPED + 2 * MADE_PAGE + 1024);
    CU_ASSERT_EQUAL(last.usable, 2 * MADE_PAGE - 1024);
    CU_ASSERT_EQUAL(asnap_heap_area(heap, 1).size, 3 * MADE_PAGE);
    asnap_heap_destroy(heap);
    /* One whose header is overwritten is missed. */
    made_write(&made, MADE_MAPPED + 8, 0);
    heap = read_made_heap();
    CU_ASSERT_EQUAL(live_count(heap), 3);
    CU_ASSERT(has_note(heap, "counts 2 large blocks of 12288 bytes"));
    asnap_heap_destroy(heap);
    /* What is the hooks' own is not taken for one. */
    struct asnap_address_range own = {MADE_MAPPED, MADE_MAPPED + 4 * MADE_PAGE};
    made.facts.own = &own;
    made.facts.own_count = 1;
    heap = read_made_heap();
    CU_ASSERT_EQUAL(live_count(heap), 2);
    asnap_heap_destroy(heap);
}

/* One that is being given back is counted no more, and is there still: those behind it are, too. */
ASNAP_TEST(heaps, large_blocks_in_flight)
{
    const uint64_t words[] = {MADE_MAPPED, 2 * MADE_PAGE};
    make_each_use(false);
    made_write(&made, MADE_MAPPED + 8, (2 * MADE_PAGE) | 2);
    made_mapped(&made, MADE_MAPPED + 2 * MADE_PAGE, 2 * MADE_PAGE);
    made_hold(&made, MADE_CODE, words, 2);
    struct asnap_heap *heap = read_made_heap();
    struct asnap_heap_chunk last = asnap_heap_chunk(heap, asnap_heap_chunk_count(heap) - 1);
    CU_ASSERT_EQUAL(last.address, MADE_MAPPED + 2 * MADE_PAGE + 16);
    CU_ASSERT(
        has_note(heap, "counts 1 large blocks of 8192 bytes in mappings of their own, and 2 of"));
    asnap_heap_destroy(heap);
}

struct sweep {
    struct asnap_heap *heap;
    struct asnap_raw *raw;
};

static struct asnap_error *read_all(void *context)
{
    struct sweep *sweep = context;
    struct asnap_error *error = asnap_heap_read(&made.facts, &sweep->heap);
    if (error != NULL)
        return error;
    error = asnap_heap_raw(sweep->heap, &sweep->raw);
    asnap_heap_destroy(sweep->heap);
    if (error == NULL)
        asnap_raw_destroy(sweep->raw);
    return error;
}

ASNAP_TEST(heaps, survives_allocation_failures)
{
    struct sweep sweep = {0};
    struct each_use each = make_each_use(false);
    struct made_place place = made_other(&made);
    made_chunk(&place, 96, false);
    made_top(&place, MADE_OTHER + MADE_OTHER_PAGES * MADE_PAGE);
    made_mapped(&made, MADE_MAPPED, MADE_PAGE);
    made_write(&made, each.live + 8, 12345);
    CU_ASSERT(asnap_unit_sweep(read_all, &sweep) > 20);
}
