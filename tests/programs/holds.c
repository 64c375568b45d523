/* Holds blocks of known sizes, then ends as told: `holds abort`, at once, or never:
 * `holds pause` says "ready" and waits. Lines that only call have tags.
 * heap-total: exact */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[64];
static int kept_count;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void keep(void *block)
{
    kept[kept_count++] = block;
}

static void hold_small(void)
{
    for (int i = 0; i < 10; i++)
        keep(malloc(100)); /* heap: small size=10*100 count=10 */
}

static void hold_large(void)
{
    keep(calloc(4, 1024));        /* heap: zeroed size=4*1024 count=1 */
    void *moved = malloc(10);     /* heap: before size=0 count=0 */
    moved = realloc(moved, 5000); /* heap: moved size=5000 count=1 */
    keep(moved);
}

static void hold_nothing(void)
{
    keep(malloc(0)); /* heap: empty size=0 count=1 */
    free(malloc(12345));
}

static void hold_deep(int depth)
{
    if (depth == 0)
        keep(malloc(32)); /* heap: deepest size=32 count=1 frames=5 */
    else
        hold_deep(depth - 1); /* tag: deeper */
}

int main(int argc, char **argv)
{
    hold_small();   /* tag: main small */
    hold_large();   /* tag: main large */
    hold_nothing(); /* tag: main nothing */
    hold_deep(3);   /* tag: main deep */
    stop_here();
    if (argc > 1 && strcmp(argv[1], "abort") == 0)
        abort();
    if (argc > 1 && strcmp(argv[1], "pause") == 0 && write(STDOUT_FILENO, "ready\n", 6) == 6)
        pause();
    return 0;
}
