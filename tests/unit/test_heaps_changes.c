/* Heaps in the middle of a change, and overwritten ones. */
#include <string.h>

#include "made_heap.h"
#include "unit.h"

static struct made_heap made;

/* A cache, and five chunks; what is told of them, with the notes. */
struct five {
    struct made_place place;
    uint64_t cache;
    uint64_t chunks[5];
    struct asnap_heap *heap;
};

static const uint64_t end = MADE_BRK + MADE_BRK_PAGES * MADE_PAGE;

static struct five make_five(bool third_is_free)
{
    struct five five = {0};
    made_heap_init(&made, false);
    five.place = made_brk(&made);
    five.cache = made_cache(&five.place, true);
    for (size_t i = 0; i < 5; i++)
        five.chunks[i] = made_chunk(&five.place, 160, third_is_free && i == 2);
    made_top(&five.place, end);
    return five;
}

static void read_five(struct five *five)
{
    asnap_heap_destroy(five->heap);
    five->heap = NULL;
    ASNAP_ASSERT_OK(asnap_heap_read(&made.facts, &five->heap));
}

/* The live ones of the five, a bit for each. */
static unsigned live(const struct five *five)
{
    unsigned bits = 0;
    for (size_t i = 0; i < asnap_heap_chunk_count(five->heap); i++) {
        struct asnap_heap_chunk chunk = asnap_heap_chunk(five->heap, i);
        for (size_t k = 0; k < 5; k++) {
            if (chunk.use == ASNAP_CHUNK_LIVE && chunk.address == five->chunks[k] + 16)
                bits |= 1u << k;
        }
    }
    return bits;
}

static uint64_t lives(const struct five *five)
{
    return asnap_heap_area(five->heap, 0).sums[ASNAP_CHUNK_LIVE].count;
}

static bool has_note(const struct five *five, const char *text)
{
    for (size_t i = 0; i < asnap_heap_note_count(five->heap); i++) {
        if (strstr(asnap_heap_note(five->heap, i), text) != NULL)
            return true;
    }
    return false;
}

/* A free chunk of 160 is cut into 64, which a malloc will return, and 96: after each store that
 * malloc makes. */
ASNAP_TEST(heap_changes, cutting_a_free_chunk)
{
    struct five five = make_five(true);
    uint64_t cut = five.chunks[2];
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    /* The rest is put in front of the unsorted bin. */
    made_link(&made, MADE_ARENA, 0, cut + 64);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    CU_ASSERT_EQUAL(lives(&five), 4);
    /* The size of what is returned; behind it is what the program had left there. */
    made_write(&made, cut + 8, 64 | 1);
    const uint64_t left[] = {UINT64_C(0x4141414141414141), 0, 32 | 1, 48 | 1, 160 | 1};
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        /* It may look like a chunk. */
        made_write(&made, cut + 64 + 8, left[i]);
        made_write(&made, cut + 96 + 8, i % 2 == 0 ? 64 | 1 : 0);
        read_five(&five);
        CU_ASSERT_EQUAL(live(&five), 0x1f);
        CU_ASSERT_EQUAL(lives(&five), 5);
        CU_ASSERT_EQUAL(asnap_heap_area(five.heap, 0).sums[ASNAP_CHUNK_FREE].size, 96);
        CU_ASSERT(has_note(&five, "was being changed"));
    }
    /* The size of the rest. */
    made_write(&made, cut + 64 + 8, 96 | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT_EQUAL(lives(&five), 5);
    CU_ASSERT(has_note(&five, "was being changed"));
    /* And its size once more, at its end: the block is about to be returned. */
    made_write(&made, five.chunks[3], 96);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT_EQUAL(lives(&five), 5);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    asnap_heap_destroy(five.heap);
}

/* A chunk is cut off the top: the top is moved first, then the sizes are written. */
ASNAP_TEST(heap_changes, cutting_the_top)
{
    struct five five = make_five(false);
    uint64_t top = five.place.at;
    made_write(&made, MADE_ARENA + MADE_TOP, top + 64);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 5);
    CU_ASSERT(has_note(&five, "was being changed"));
    made_write(&made, top + 8, 64 | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 5);
    CU_ASSERT(has_note(&five, "was being changed"));
    made_write(&made, top + 64 + 8, (end - top - 64) | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 6);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    asnap_heap_destroy(five.heap);
}

/* A chunk is freed to the bins: the bit behind it goes first. */
ASNAP_TEST(heap_changes, freeing_a_chunk)
{
    struct five five = make_five(false);
    made_write(&made, five.chunks[2] + 8, 160);
    made_write(&made, five.chunks[2], UINT64_C(0x4141414141414141));
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1d);
    CU_ASSERT(has_note(&five, "was being changed"));
    made_write(&made, five.chunks[2], 160);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1d);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    asnap_heap_destroy(five.heap);
}

/* Behind a chunk that is being freed stands the size of an earlier free chunk, which began with one
 * that is in use. */
ASNAP_TEST(heap_changes, freeing_a_chunk_before_an_old_size)
{
    for (uint64_t before = 1; before <= 3; before++) {
        struct five five = make_five(false);
        made_write(&made, five.chunks[4] + 8, 160);
        made_write(&made, five.chunks[4], 160 * (before + 1));
        for (unsigned is_linked = 0; is_linked < 2; is_linked++) {
            if (is_linked)
                made_link(&made, MADE_ARENA, 0, five.chunks[3]);
            read_five(&five);
            CU_ASSERT_EQUAL(live(&five), 0x17);
            CU_ASSERT_EQUAL(lives(&five), 4);
            CU_ASSERT(has_note(&five, "was being changed"));
        }
        made_write(&made, five.chunks[4], 160);
        read_five(&five);
        CU_ASSERT_EQUAL(live(&five), 0x17);
        CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
        asnap_heap_destroy(five.heap);
    }
}

/* A chunk in use of 160 is cut into 64, which memalign will return, and 96, which it frees: of
 * these there is no size until they are in their bin, and they may look like chunks. */
ASNAP_TEST(heap_changes, cutting_a_chunk_in_use)
{
    struct five five = make_five(false);
    uint64_t rest = five.chunks[2] + 64;
    uint64_t next = five.chunks[3];
    made_write(&made, five.chunks[2] + 8, 64 | 1);
    made_write(&made, rest + 8, 32 | 1);
    made_write(&made, rest + 32 + 8, 64 | 1);
    const uint64_t all[] = {rest, next, 96};
    made_hold(&made, MADE_CODE, all, 3);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT_EQUAL(lives(&five), 5);
    CU_ASSERT(has_note(&five, "was being changed"));
    /* The same words in a thread that is elsewhere say nothing. */
    made_hold(&made, MADE_BRK, all, 3);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 7);
    /* Where it looks like none, two of these are enough. */
    const uint64_t two[][2] = {{rest, 96}, {next, 96}};
    for (size_t i = 0; i < 2; i++) {
        made_write(&made, rest + 8, i);
        made_hold(&made, MADE_CODE, two[i], 2);
        read_five(&five);
        CU_ASSERT_EQUAL(lives(&five), 5);
        CU_ASSERT_EQUAL(asnap_heap_area(five.heap, 0).sums[ASNAP_CHUNK_FREE].size, 96);
    }
    /* The bit behind it goes. */
    made_write(&made, rest + 8, 32 | 1);
    made_write(&made, next + 8, 160);
    made_write(&made, next, 320);
    made_hold(&made, MADE_CODE, all, 3);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 5);
    made_hold(&made, MADE_CODE, two[0], 2);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 5);
    /* It is put in its bin, where all that is in it is of one size. */
    made.facts.register_count = 0;
    made_link(&made, MADE_ARENA, 96 / 16 - 1, rest);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT_EQUAL(lives(&five), 5);
    made_write(&made, rest + 8, 96 | 1);
    made_write(&made, next, 96);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 5);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    asnap_heap_destroy(five.heap);
}

/* Words that threads have in hand do not cut up what is in order. */
ASNAP_TEST(heap_changes, words_that_say_nothing)
{
    struct five five = make_five(true);
    const uint64_t words[] = {five.chunks[0], five.chunks[1],      160,
                              five.chunks[2], five.chunks[2] + 64, 64};
    made_hold(&made, MADE_CODE, words, 6);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    CU_ASSERT_EQUAL(lives(&five), 4);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    asnap_heap_destroy(five.heap);
}

/* The last chunk is joined with the top: its size first. */
ASNAP_TEST(heap_changes, joining_with_the_top)
{
    struct five five = make_five(false);
    made_write(&made, five.chunks[4] + 8, (end - five.chunks[4]) | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x0f);
    CU_ASSERT(has_note(&five, "was being changed"));
    asnap_heap_destroy(five.heap);
}

/* Whoever holds an arena's lock may be anywhere. */
ASNAP_TEST(heap_changes, a_lock_is_held)
{
    struct five five = make_five(false);
    made_write_half(&made, MADE_ARENA, 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT(asnap_heap_area(five.heap, 0).is_busy);
    CU_ASSERT(has_note(&five, "was being changed"));
    asnap_heap_destroy(five.heap);
}

/* A size that the program has overwritten costs its own block. */
ASNAP_TEST(heap_changes, overwritten_sizes)
{
    static const uint64_t sizes[] = {0, 8, 40, UINT64_MAX, UINT64_C(1) << 40, 160 | 2, 160 | 4};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct five five = make_five(false);
        made_write(&made, five.chunks[1] + 8, sizes[i]);
        read_five(&five);
        CU_ASSERT_EQUAL(live(&five), 0x1d);
        CU_ASSERT(has_note(&five, "is broken at 1 places"));
        CU_ASSERT_EQUAL(asnap_heap_area(five.heap, 0).sums[ASNAP_CHUNK_LOST].size, 160);
        asnap_heap_destroy(five.heap);
    }
}

/* Free lists that lead nowhere, or round. */
ASNAP_TEST(heap_changes, overwritten_lists)
{
    struct five five = make_five(false);
    for (size_t i = 0; i < 3; i++)
        made_add_cached(&made, five.cache, five.chunks[i]);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x18);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    /* The third leads to the second, and that to itself. */
    made_write(&made, five.chunks[1] + 16, (five.chunks[1] + 16) ^ (five.chunks[1] + 16) >> 12);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x19);
    CU_ASSERT(has_note(&five, "a list of free blocks leads to"));
    made_write(&made, five.chunks[1] + 16, UINT64_C(0x4141414141414141));
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x19);
    CU_ASSERT(has_note(&five, "a list of free blocks leads to"));
    asnap_heap_destroy(five.heap);
}

/* malloc_consolidate has taken a fast bin's list away: what is left of it, it has in a register, or
 * as a link and what that is combined with; the bin itself in another. */
static void check_held(bool is_old)
{
    struct five five = make_five(false);
    made_heap_init(&made, is_old);
    five.place = made_brk(&made);
    five.cache = made_cache(&five.place, true);
    for (size_t i = 0; i < 5; i++)
        five.chunks[i] = made_chunk(&five.place, 96, false);
    made_top(&five.place, end);
    made_add_cached(&made, five.cache, five.chunks[0]);
    for (size_t i = 1; i < 4; i++)
        made_add_fast(&five.place, five.chunks[i]);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x10);
    uint64_t bin = MADE_ARENA + MADE_FAST + 8 * ((96 - 32) / 16);
    made_write(&made, bin, 0);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1e);
    const uint64_t place = UINT64_C(0x555512345);
    const uint64_t held[][3] = {{bin, five.chunks[3], 0},
                                {bin, five.chunks[2], 0},
                                {bin, place, place ^ five.chunks[3]},
                                {bin - 8, five.chunks[3], 0},
                                {bin, five.chunks[3] + 16, 0}};
    const unsigned lives[] = {0x10, 0x18, 0x10, 0x1e, 0x1e};
    for (size_t i = 0; i < 5; i++) {
        made_hold(&made, MADE_CODE, held[i], 3);
        read_five(&five);
        CU_ASSERT_EQUAL(live(&five), lives[i]);
    }
    /* A list that leads to no end is none. */
    made_hold(&made, MADE_CODE, held[0], 3);
    made_write(&made, five.chunks[1] + 16, UINT64_C(0x4141414141414141));
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1e);
    asnap_heap_destroy(five.heap);
}

ASNAP_TEST(heap_changes, a_list_that_a_register_holds)
{
    check_held(false);
    check_held(true);
}

/* A thread that ends empties its cache bin by bin, and leaves the counts. */
ASNAP_TEST(heap_changes, a_thread_ends)
{
    made_heap_init(&made, false);
    struct five five = {.place = made_brk(&made)};
    made_chunk(&five.place, 48, false);
    five.cache = made_cache(&five.place, false);
    for (size_t i = 0; i < 5; i++) {
        five.chunks[i] = made_chunk(&five.place, 32 + 16 * i, false);
        made_add_cached(&made, five.cache, five.chunks[i]);
    }
    made_top(&five.place, end);
    for (size_t i = 0; i < 4; i++) {
        read_five(&five);
        CU_ASSERT_EQUAL(live(&five), (1u << i) - 1);
        CU_ASSERT_EQUAL(lives(&five), i + 1);
        made_write(&made, five.cache + 16 + 128 + 8 * i, 0);
    }
    asnap_heap_destroy(five.heap);
}

/* A thread's cache was cut from a free chunk of which too little was left to be one. */
ASNAP_TEST(heap_changes, a_cache_of_a_larger_chunk)
{
    for (unsigned is_old = 0; is_old < 2; is_old++) {
        made_heap_init(&made, is_old);
        struct five five = {.place = made_brk(&made)};
        made_chunk(&five.place, 48, false);
        five.cache = made_chunk(&five.place, is_old ? 0x260 : 0x2a0, false);
        for (size_t i = 0; i < 5; i++) {
            five.chunks[i] = made_chunk(&five.place, 160, false);
            made_add_cached(&made, five.cache, five.chunks[i]);
        }
        made_top(&five.place, end);
        read_five(&five);
        CU_ASSERT_EQUAL(live(&five), 0);
        CU_ASSERT_EQUAL(lives(&five), 1);
        asnap_heap_destroy(five.heap);
    }
}

/* One entry of a cache that leads nowhere costs what is behind it. */
ASNAP_TEST(heap_changes, an_odd_entry)
{
    struct five five = make_five(false);
    for (size_t i = 0; i < 3; i++)
        made_add_cached(&made, five.cache, five.chunks[i]);
    made_write(&made, five.cache + 16 + 128 + 8 * 20, five.chunks[4] + 16);
    made_write(&made, five.cache + 16 + 2 * 20, 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x18);
    CU_ASSERT(has_note(&five, "a list of free blocks leads to"));
    asnap_heap_destroy(five.heap);
}

/* Another arena, with one chunk of each of five sizes. */
static struct five make_other_five(void)
{
    struct five five = {0};
    made_heap_init(&made, false);
    struct made_place brk = made_brk(&made);
    made_cache(&brk, true);
    made_top(&brk, end);
    five.place = made_other(&made);
    for (size_t i = 0; i < 5; i++)
        five.chunks[i] = made_chunk(&five.place, 160, false);
    return five;
}

/* A chunk is taken out of a bin: before the program gets it, it is told to be of this arena. */
ASNAP_TEST(heap_changes, a_chunk_of_no_arena_yet)
{
    struct five five = make_other_five();
    made_top(&five.place, MADE_OTHER + MADE_OTHER_PAGES * MADE_PAGE);
    made_write(&made, five.chunks[2] + 8, 160 | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    CU_ASSERT(has_note(&five, "was being changed"));
    asnap_heap_destroy(five.heap);
}

/* The fences of a heap, before its end. */
static void add_fences(struct five *five)
{
    uint64_t fence = MADE_OTHER + MADE_OTHER_PAGES * MADE_PAGE - 32;
    made_write(&made, fence, fence - five->place.at);
    made_write(&made, fence + 8, 16 | 1);
    made_write(&made, fence + 16, 16);
    made_write(&made, fence + 24, 1);
}

/* An arena has a new heap: its top is moved there first, then the old one gets its fences. The new
 * heap is given back: then the top is moved. */
ASNAP_TEST(heap_changes, a_heap_comes_and_goes)
{
    struct five five = make_other_five();
    uint64_t old_top = five.place.at;
    uint64_t other_end = MADE_OTHER + MADE_OTHER_PAGES * MADE_PAGE;
    made_top(&five.place, other_end);
    made_write(&made, MADE_NEXT, MADE_OTHER_ARENA);
    made_write(&made, MADE_NEXT + 8, MADE_OTHER);
    made_write(&made, MADE_NEXT + 16, MADE_NEXT_PAGES * MADE_PAGE);
    made_write(&made, MADE_OTHER_ARENA + MADE_TOP, MADE_NEXT + 48);
    made_write(&made, MADE_NEXT + 48 + 8, (MADE_NEXT_PAGES * MADE_PAGE - 48) | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT_EQUAL(lives(&five), 0);
    CU_ASSERT_EQUAL(asnap_heap_area(five.heap, 1).sums[ASNAP_CHUNK_LIVE].count, 5);
    CU_ASSERT(has_note(&five, "was being changed"));
    made_write(&made, old_top + 8, (other_end - 32 - old_top) | 1);
    add_fences(&five);
    made_write(&made, other_end - 32 + 8, 16);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    /* Its memory is gone, and the top still there. */
    struct asnap_region kept = made.regions[2];
    memmove(&made.regions[2], &made.regions[3], (MADE_REGIONS - 3) * sizeof(kept));
    made.facts.region_count = MADE_REGIONS - 1;
    made.unreadable = 1u << (MADE_BRK_PAGES + MADE_OTHER_PAGES);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1f);
    CU_ASSERT(has_note(&five, "was being changed"));
    CU_ASSERT(!has_note(&five, "missing here"));
    asnap_heap_destroy(five.heap);
}

/* The program has called sbrk(2) itself: fences, its own memory, and then the arena's again. */
ASNAP_TEST(heap_changes, memory_of_others_between)
{
    made_heap_init(&made, false);
    struct made_place place = made_brk(&made);
    made_cache(&place, true);
    made_chunk(&place, 64, false);
    made_chunk(&place, 16, false);
    made_chunk(&place, 16, false);
    for (uint64_t at = 0; at < 512; at += 8)
        made_write(&made, place.at + at, UINT64_C(0x4141414141414141));
    place.at += 512;
    place.last_is_free = false;
    uint64_t behind = made_chunk(&place, 64, false);
    made_top(&place, end);
    struct five five = {.chunks = {behind}};
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 1);
    CU_ASSERT_EQUAL(lives(&five), 2);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    asnap_heap_destroy(five.heap);
}

/* brk(2) has failed, and the main arena goes on in a mapping. */
ASNAP_TEST(heap_changes, main_arena_in_a_mapping)
{
    made_heap_init(&made, false);
    struct made_place place = made_brk(&made);
    made_cache(&place, true);
    made_chunk(&place, end - 32 - place.at, false);
    made_chunk(&place, 16, false);
    made_chunk(&place, 16, false);
    made_write_half(&made, MADE_ARENA + MADE_FLAGS, 2);
    place.at = MADE_MAPPED + MADE_PAGE;
    uint64_t behind = made_chunk(&place, 64, false);
    made_top(&place, MADE_MAPPED + 3 * MADE_PAGE);
    struct five five = {.chunks = {behind}};
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 1);
    CU_ASSERT_EQUAL(lives(&five), 2);
    CU_ASSERT_EQUAL(asnap_heap_note_count(five.heap), 0);
    /* Where that mapping is gone, it is said. */
    made.unreadable = UINT32_MAX << (MADE_BRK_PAGES + MADE_OTHER_PAGES + MADE_NEXT_PAGES + 1) &
                      ((1u << (MADE_PAGES - MADE_LIBC_PAGES - MADE_STORAGE_PAGES)) - 1);
    read_five(&five);
    CU_ASSERT_EQUAL(lives(&five), 1);
    CU_ASSERT(has_note(&five, "is not found up to its end"));
    asnap_heap_destroy(five.heap);
}

/* A page of the heap is not in the core: what is behind it is found all the same. */
ASNAP_TEST(heap_changes, memory_that_cannot_be_read)
{
    made_heap_init(&made, false);
    struct made_place place = made_brk(&made);
    made_cache(&place, true);
    while (place.at < MADE_BRK + MADE_PAGE - 64)
        made_chunk(&place, 64, false);
    uint64_t behind = 0;
    while (place.at < end - 1024)
        behind = made_chunk(&place, 64, false);
    made_top(&place, end);
    struct five five = {.chunks = {behind}};
    made.unreadable = 1;
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 1);
    CU_ASSERT(has_note(&five, "cannot be read"));
    asnap_heap_destroy(five.heap);
}
