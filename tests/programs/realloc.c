/* realloc in all its ways. A block that realloc has touched belongs to the line
 * that called realloc. `moved` and `stayed` tell what the allocator did, which is
 * its own affair and changes no mark.
 * heap-total: exact */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void *kept[16];
volatile bool moved;
volatile bool stayed;
static volatile size_t huge = PTRDIFF_MAX;
static volatile size_t zero;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void grow(void)
{
    kept[0] = malloc(100); /* heap: before_move size=0 count=0 */
    kept[1] = malloc(16);  /* heap: neighbour size=16 count=1 */
    uintptr_t old = (uintptr_t)kept[0];
    kept[0] = realloc(kept[0], 100000); /* heap: moved size=100000 count=1 */
    moved = (uintptr_t)kept[0] != old;
}

static void shrink(void)
{
    kept[2] = malloc(200); /* heap: before_shrink size=0 count=0 */
    uintptr_t old = (uintptr_t)kept[2];
    kept[2] = realloc(kept[2], 150); /* heap: shrunk size=150 count=1 */
    stayed = (uintptr_t)kept[2] == old;
}

static void map(void)
{
    kept[3] = malloc(8UL << 20);              /* heap: before_map size=0 count=0 */
    kept[3] = realloc(kept[3], 16UL << 20);   /* heap: mapped size=16777216 count=1 */
    kept[4] = realloc(NULL, 300);             /* heap: from_null size=300 count=1 */
    kept[5] = reallocarray(NULL, 10, 40);     /* heap: array size=400 count=1 */
    kept[6] = malloc(50);                     /* heap: before_array size=0 count=0 */
    kept[6] = reallocarray(kept[6], 20, 100); /* heap: to_array size=2000 count=1 */
}

static void end(void)
{
    kept[7] = malloc(60); /* heap: before_zero size=0 count=0 */
    kept[8] = realloc(kept[7], zero);
    kept[7] = NULL;
}

static void fail(void)
{
    kept[9] = malloc(70); /* heap: kept_by_failure size=70 count=1 */
    void *larger = realloc(kept[9], huge);
    if (larger != NULL)
        _exit(1);
    kept[10] = malloc(80); /* heap: kept_by_overflow size=80 count=1 */
    larger = reallocarray(kept[10], huge, 4);
    if (larger != NULL)
        _exit(1);
}

static void repeat(void)
{
    for (size_t size = 1; size <= 4096; size *= 2)
        kept[11] = realloc(kept[11], size); /* heap: doubled size=4096 count=1 */
}

int main(void)
{
    grow();
    shrink();
    map();
    end();
    fail();
    repeat();
    stop_here();
    _exit(0);
}
