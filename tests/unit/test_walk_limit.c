/* Stacks of this very process, with frame limits that change. */
#include "allocsnap_table.h"
#include "arch.h"
#include "own_memory.h"
#include "own_table.h"
#include "root.h"
#include "unit.h"
#include "unwind_rows.h"
#include "walker.h"

static struct asnap_walker *open_walker(void)
{
    own_table_open();
    CU_ASSERT_FATAL(asnap_rows_init());
    struct asnap_walker *walker = asnap_walker_create(0);
    CU_ASSERT_FATAL(walker != NULL);
    return walker;
}

/* Walks the stack of the caller, as the hook of an allocation does. */
__attribute__((noinline)) static void walk_here(struct asnap_walker *walker, uint32_t limit)
{
    const struct asnap_caller caller = ASNAP_CALLER;
    CU_ASSERT(asnap_walker_walk(walker, &caller, limit));
}

/* The same two functions deeper, or more. */
__attribute__((noinline)) static void walk_deeper(struct asnap_walker *walker, uint32_t limit,
                                                  int deeper)
{
    if (deeper > 0)
        walk_deeper(walker, limit, deeper - 1);
    else
        walk_here(walker, limit);
    __asm__ volatile("");
}

struct kept {
    uint64_t frames;
    uint64_t omitted; /* or ASNAP_RAW_NOT_COUNTED */
};

static struct kept kept_of(struct asnap_walker *walker)
{
    uint32_t node = asnap_walker_intern(walker);
    struct asnap_raw *raw = own_table_read();
    struct kept kept = {.frames = 0};
    CU_ASSERT_FATAL(node < raw->node_count);
    for (; raw->nodes[node].parent != ASNAP_RAW_NONE; node = raw->nodes[node].parent)
        kept.frames++;
    kept.omitted = raw->nodes[node].pc;
    asnap_raw_destroy(raw);
    return kept;
}

static void set_limit(uint32_t limit)
{
    allocsnap_root.applied.frame_limit = limit;
}

ASNAP_TEST(walk_limit, one_frame_is_not_counted)
{
    struct asnap_walker *walker = open_walker();
    set_limit(1);
    walk_deeper(walker, 1, 20);
    struct kept kept = kept_of(walker);
    CU_ASSERT_EQUAL(kept.frames, 1);
    CU_ASSERT_EQUAL(kept.omitted, ASNAP_RAW_NOT_COUNTED);
    asnap_walker_destroy(walker);
}

ASNAP_TEST(walk_limit, all_frames_are_counted)
{
    struct asnap_walker *walker = open_walker();
    set_limit(4);
    walk_deeper(walker, 4, 20);
    uint64_t depth = asnap_walker_depth(walker);
    CU_ASSERT(depth > 22);
    struct kept kept = kept_of(walker);
    CU_ASSERT(kept.frames >= 4 && kept.frames < 8);
    CU_ASSERT_EQUAL(kept.frames + kept.omitted, depth);
    asnap_walker_destroy(walker);
}

/* A stack that was walked under one limit is interned under another, as that of a signal
 * handler is, whose work waited while a debugger asked for another limit. */
ASNAP_TEST(walk_limit, change_between_walk_and_table)
{
    struct asnap_walker *walker = open_walker();
    static const uint32_t limits[] = {1, 64, 1, 4, 1};
    for (size_t i = 0; i + 1 < sizeof(limits) / sizeof(limits[0]); i++) {
        set_limit(limits[i]);
        walk_deeper(walker, limits[i], 20);
        uint64_t depth = asnap_walker_depth(walker);
        set_limit(limits[i + 1]);
        struct kept kept = kept_of(walker);
        if (limits[i] == 1) {
            CU_ASSERT_EQUAL(kept.frames, 1);
            CU_ASSERT_EQUAL(kept.omitted, ASNAP_RAW_NOT_COUNTED);
        } else {
            CU_ASSERT(kept.frames >= limits[i] || kept.omitted == 0);
            CU_ASSERT_EQUAL(kept.frames + kept.omitted, depth);
            CU_ASSERT(depth > 22);
        }
    }
    asnap_walker_destroy(walker);
}
