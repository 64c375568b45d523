/* Stacks deeper than the default frame limit. The first argument sets how deep
 * descend() goes; the marks hold for the default. `frames` counts the frames of
 * this file, from main on; what lies above main is the C library's, and the same
 * for every block here.
 * heap-total: exact */
#include <stdlib.h>
#include <unistd.h>

#define DEPTH 40

static void *kept[4];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) static void *descend(long levels)
{
    if (levels > 1)
        return descend(levels - 1);
    return malloc(1000); /* heap: deep size=1000 count=1 frames=41 */
}

static void *even(int levels);

__attribute__((noinline)) static void *odd(int levels)
{
    if (levels == 0)
        return malloc(11); /* heap: odd size=11 count=1 frames=7 */
    return even(levels - 1);
}

__attribute__((noinline)) static void *even(int levels)
{
    if (levels == 0)
        return malloc(12); /* heap: even size=12 count=1 frames=6 */
    return odd(levels - 1);
}

int main(int argc, char **argv)
{
    long depth = argc > 1 ? strtol(argv[1], NULL, 10) : DEPTH;
    kept[0] = malloc(10); /* heap: flat size=10 count=1 frames=1 */
    kept[1] = descend(depth);
    kept[2] = even(5);
    kept[3] = even(4);
    stop_here();
    _exit(0);
}
