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
    /* The size of what is returned; behind it is what the program had left there. */
    made_write(&made, cut + 8, 64 | 1);
    made_write(&made, cut + 64 + 8, UINT64_C(0x4141414141414141));
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    CU_ASSERT_EQUAL(lives(&five), 4);
    CU_ASSERT(has_note(&five, "was being changed"));
    /* What the program had left may look like a chunk. */
    made_write(&made, cut + 64 + 8, 32 | 1);
    made_write(&made, cut + 96 + 8, 64 | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    CU_ASSERT_EQUAL(lives(&five), 4);
    CU_ASSERT(has_note(&five, "was being changed"));
    /* The size of the rest. */
    made_write(&made, cut + 64 + 8, 96 | 1);
    read_five(&five);
    CU_ASSERT_EQUAL(live(&five), 0x1b);
    CU_ASSERT_EQUAL(lives(&five), 4);
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
