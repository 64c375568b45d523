/* Memory from before main, and from after it. Marks without `in` hold at
 * stop_here and at _exit; those with in=main at stop_here only, those with
 * in=exit when _exit is called.
 * heap-total: exact */
#include <stdlib.h>
#include <unistd.h>

static void *kept[16];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

/* Runs before the constructor of any library. */
static void first(void)
{
    kept[0] = malloc(101);    /* heap: preinit size=101 count=1 */
    kept[1] = malloc(102);    /* heap: preinit_realloced size=0 count=0 */
    kept[2] = calloc(1, 103); /* heap: preinit_freed size=0 count=0 */
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = first;

__attribute__((constructor(101))) static void second(void)
{
    kept[1] = realloc(kept[1], 202); /* heap: constructor_realloc size=202 count=1 */
    free(kept[2]);
    kept[2] = NULL;
}

__attribute__((constructor)) static void third(void)
{
    kept[3] = malloc(301); /* heap: constructor size=301 count=1 */
}

static void last(void)
{
    kept[6] = malloc(601); /* heap: atexit size=601 count=1 in=exit */
    free(kept[5]);
    kept[5] = NULL;
}

__attribute__((destructor)) static void finish(void)
{
    kept[7] = malloc(701); /* heap: destructor size=701 count=1 in=exit */
}

int main(void)
{
    if (atexit(last) != 0)
        _exit(1);
    kept[4] = malloc(401); /* heap: main size=401 count=1 */
    kept[5] = malloc(501); /* heap: freed_at_exit size=501 count=1 in=main */
    stop_here();
    return 0;
}
