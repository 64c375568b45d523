/* The allocators with an alignment, but pvalloc (pvalloc.c).
 * heap-total: exact */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void *kept[16];
volatile size_t usable;
static volatile size_t huge = PTRDIFF_MAX;
static volatile size_t odd_alignment = 24;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void fail(void)
{
    void *block = NULL;
    if (posix_memalign(&block, 64, huge) == 0 || posix_memalign(&block, odd_alignment, 8) == 0)
        _exit(1);
    if (aligned_alloc(64, huge) != NULL || memalign(64, huge) != NULL)
        _exit(1);
}

int main(void)
{
    if (posix_memalign(&kept[0], 256, 1000) != 0) /* heap: posix size=1000 count=1 */
        _exit(1);
    kept[1] = aligned_alloc(64, 640); /* heap: iso size=640 count=1 */
    kept[2] = memalign(4096, 500);    /* heap: old size=500 count=1 */
    kept[3] = valloc(100);            /* heap: page size=100 count=1 */
    kept[4] = malloc(33);             /* heap: measured size=33 count=1 */
    usable = malloc_usable_size(kept[4]);
    kept[5] = memalign(1UL << 20, 1); /* heap: mebibyte size=1 count=1 */
    kept[6] = aligned_alloc(32, 96);  /* heap: freed size=0 count=0 */
    free(kept[6]);
    kept[6] = NULL;
    if (posix_memalign(&kept[7], 128, 256) != 0) /* heap: before_realloc size=0 count=0 */
        _exit(1);
    kept[7] = realloc(kept[7], 512); /* heap: realloced size=512 count=1 */
    fail();
    for (size_t i = 0; i < 7; i++)
        if ((uintptr_t)kept[i] % 16 != 0)
            _exit(1);
    stop_here();
    _exit(0);
}
