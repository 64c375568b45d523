/* A program that tells its pools wrongly: sizes, sums and addresses that cannot be, beside a
 * heap and a pool that are as they should be. It stops twice, the marks say where. */
#include <stdint.h>
#include <stdlib.h>

#include "allocsnap_hooks.h"

#define LARGEST (((size_t)1 << 47) - 1)

static void *kept;
static unsigned failed;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void tell(unsigned int d, uintptr_t at, size_t n)
{
    int r =
        allocsnap_track(d, at, n); /* heap: sum size=1024*140737488355327 count=1024 in=second */
    failed += r == ALLOCSNAP_NO_MEMORY;
}

int main(void)
{
    kept = malloc(100);        /* heap: heap size=100 count=1 */
    allocsnap_track(9, 1, 30); /* heap: pool size=30 count=1 in=first */
    for (uintptr_t i = 1; i <= 10; i++)
        tell(7, i, SIZE_MAX); /* refused for their sizes */
    for (uintptr_t i = 1; i <= 5; i++)
        tell(7, UINTPTR_MAX - i, 1); /* for their addresses */
    tell(7, 0, 1);
    stop_here();
    /* 1,024 of one MiB are less than 2^57 bytes together. */
    for (uintptr_t i = 1; i <= 2000; i++)
        tell(8, (1 << 20) + i, LARGEST);
    /* What a block was is not true any more where what it is cannot be. */
    tell(9, 1, SIZE_MAX);
    stop_here();
    free(kept);
    return 0;
}
