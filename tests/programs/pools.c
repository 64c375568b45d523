/* A program with pools of its own, told to the hooks; in the table by domain:
 * 7: three blocks, one of them grown from 50 to 70 bytes, one given back;
 * 389047: one block, at the address of a block of the heap. */
#include <stdlib.h>
#include <string.h>

#include "allocsnap_hooks.h"

static char arena[4096];
static int results[16];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    char *heap = malloc(100); /* heap: heap size=100 count=1 */
    int next = 0;
    allocsnap_name_domain(7, NULL);
    results[next++] = allocsnap_name_domain(7, "arena");
    results[next++] = allocsnap_track(7, (uintptr_t)arena, 10); /* heap: first size=10 count=1 */
    results[next++] = allocsnap_track(7, (uintptr_t)(arena + 10), 50);
    results[next++] =
        allocsnap_track(7, (uintptr_t)(arena + 10), 70); /* heap: grown size=70 count=1 */
    results[next++] = allocsnap_track(7, (uintptr_t)(arena + 80), 5);
    results[next++] = allocsnap_untrack(7, (uintptr_t)(arena + 80));
    results[next++] = allocsnap_untrack(7, 0x1234);
    results[next++] = allocsnap_untrack(8, (uintptr_t)arena);
    results[next++] =
        allocsnap_track(389047, (uintptr_t)heap, 1000); /* heap: view size=1000 count=1 */
    results[next++] = allocsnap_track(7, 0, 1);
    results[next++] = allocsnap_track(7, (uintptr_t)1 << 60, 1);
    stop_here();
    for (unsigned int domain = 1000; domain < 1300; domain++)
        if (allocsnap_track(domain, 16, 1) == ALLOCSNAP_NO_MEMORY)
            results[15]++;
    stop_here();
    free(heap);
    return 0;
}
