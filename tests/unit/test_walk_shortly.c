/* Short walks come to the node that full ones come to, by every way and with every limit. */
#include <string.h>

#include "allocsnap_table.h"
#include "arch.h"
#include "own_table.h"
#include "root.h"
#include "stacks.h"
#include "unit.h"
#include "unwind_rows.h"
#include "walker.h"

enum { LEVELS = 12, WAYS = 1 << LEVELS, TURNS = 3 };

struct walks {
    struct asnap_walker *varied; /* remembers what it has met */
    struct asnap_walker *fresh;  /* remembers nothing */
    uint32_t limit;
    uint32_t short_walks;
};

/* Frames of this very process, down to that of the caller. */
__attribute__((noinline)) static void walk_here(struct walks *walks)
{
    const struct asnap_caller caller = ASNAP_CALLER;
    asnap_walker_renew(walks->fresh);
    CU_ASSERT_FATAL(asnap_walker_walk(walks->fresh, &caller, walks->limit));
    CU_ASSERT_FATAL(asnap_walker_walk(walks->varied, &caller, walks->limit));
    uint32_t depth = asnap_walker_depth(walks->fresh);
    CU_ASSERT_EQUAL_FATAL(depth, asnap_walker_depth(walks->varied));
    for (uint32_t i = depth; i > 0; i--)
        CU_ASSERT_EQUAL_FATAL(asnap_walker_frame(walks->fresh, i).pc,
                              asnap_walker_frame(walks->varied, i).pc);
    CU_ASSERT_EQUAL(asnap_walker_intern(walks->fresh), asnap_walker_intern(walks->varied));
    walks->short_walks += walks->varied->suffix_count != 0;
}

static void go_left(struct walks *walks, uint32_t way, int levels);

/* After a call, keeps it from being the function's last act, which would be a jump. */
#define STAY() __asm__ volatile("" ::: "memory")

__attribute__((noinline)) static void go_right(struct walks *walks, uint32_t way, int levels)
{
    char room[200];
    __asm__ volatile("" ::"r"(room));
    if (levels == 0)
        walk_here(walks);
    else if ((way & 1) != 0)
        go_left(walks, way >> 1, levels - 1);
    else
        go_right(walks, way >> 1, levels - 1);
    STAY();
}

__attribute__((noinline)) static void go_left(struct walks *walks, uint32_t way, int levels)
{
    if (levels == 0)
        walk_here(walks);
    else if ((way & 1) != 0)
        go_left(walks, way >> 1, levels - 1);
    else
        go_right(walks, way >> 1, levels - 1);
    STAY();
}

static void open_walks(struct walks *walks, uint32_t limit)
{
    own_table_open();
    CU_ASSERT_FATAL(asnap_rows_init());
    memset(walks, 0, sizeof(*walks));
    walks->limit = limit;
    walks->varied = asnap_walker_create(0);
    walks->fresh = asnap_walker_create(0);
    CU_ASSERT_FATAL(walks->varied != NULL && walks->fresh != NULL);
}

static void close_walks(struct walks *walks)
{
    asnap_walker_destroy(walks->varied);
    asnap_walker_destroy(walks->fresh);
}

/* The innermost levels vary most, as in a program. */
static void go_all_ways(struct walks *walks, int levels)
{
    for (uint32_t i = 0; i < WAYS; i++) {
        uint32_t mixed = i * 2654435761u >> 8;
        go_right(walks, levels < 6 ? mixed : mixed << (levels - 5), levels);
    }
}

ASNAP_TEST(walk_shortly, comes_to_the_same_nodes)
{
    static const uint32_t limits[] = {64, 16, 7, 3, 2};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct walks walks;
        open_walks(&walks, limits[i]);
        for (int turn = 0; turn < TURNS; turn++)
            for (int levels = LEVELS; levels > 0; levels -= 3)
                go_all_ways(&walks, levels);
        if (limits[i] > 7)
            CU_ASSERT(walks.short_walks > WAYS);
        close_walks(&walks);
    }
}

/* A limit that a debugger changes meanwhile. */
ASNAP_TEST(walk_shortly, limits_change)
{
    struct walks walks;
    open_walks(&walks, 64);
    for (uint32_t i = 0; i < 4 * WAYS; i++) {
        walks.limit = i % 512 < 256 ? 64 : 5 + i / 512;
        go_right(&walks, i * 2654435761u >> 8 << 6, 10);
    }
    CU_ASSERT(walks.short_walks > WAYS);
    close_walks(&walks);
}

/* What a handler that jumped out has left of a suffix is not believed. */
ASNAP_TEST(walk_shortly, suffixes_written_in_part)
{
    struct walks walks;
    open_walks(&walks, 64);
    go_all_ways(&walks, 6);
    CU_ASSERT_FATAL(walks.varied->suffixes != NULL);
    for (uint32_t i = 0; i < ASNAP_SUFFIXES; i++) {
        walks.varied->suffixes[i].under = ASNAP_TABLE_NONE;
        walks.varied->suffixes[i].node = 0;
    }
    uint32_t before = walks.short_walks;
    go_all_ways(&walks, 6);
    CU_ASSERT(walks.short_walks > before);
    close_walks(&walks);
}
