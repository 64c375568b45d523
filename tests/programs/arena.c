/* A pool in one large block of the C heap, whose pieces have a domain of their own. */
#include <stdlib.h>
#include <unistd.h>

#include "allocsnap_hooks.h"

#define POOL 77

static char *chunk;
static char *pieces[4];
static size_t used;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *pool_alloc(size_t size)
{
    char *piece = chunk + used;
    used += size;
    allocsnap_track(POOL, (uintptr_t)piece, size); /* tag: track */ /* heap: p size=96 count=3 */
    return piece;
}

int main(void)
{
    allocsnap_name_domain(POOL, "pool");
    chunk = malloc(65536); /* tag: chunk */ /* heap: chunk size=65536 count=1 */
    for (size_t i = 0; i < 4; i++)
        pieces[i] = pool_alloc(16 * (i + 1)); /* tag: piece */
    allocsnap_untrack(POOL, (uintptr_t)pieces[3]);
    stop_here();
    _exit(0);
}
