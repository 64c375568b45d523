/* Holds blocks of known sizes from known lines, then stops at checkpoint() and
 * ends as told: `holds abort`, `holds pause`, or at once. The tests find the
 * lines by their tags. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[64];
static int kept_count;

__attribute__((noinline)) void checkpoint(void)
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
        keep(malloc(100)); /* tag: small */
}

static void hold_large(void)
{
    keep(calloc(4, 1024)); /* tag: calloc */
    void *moved = malloc(10);
    moved = realloc(moved, 5000); /* tag: realloc */
    keep(moved);
}

static void hold_nothing(void)
{
    keep(malloc(0)); /* tag: empty */
    free(malloc(12345));
}

static void hold_deep(int depth)
{
    if (depth == 0)
        keep(malloc(32)); /* tag: deepest */
    else
        hold_deep(depth - 1); /* tag: deeper */
}

int main(int argc, char **argv)
{
    hold_small();   /* tag: main small */
    hold_large();   /* tag: main large */
    hold_nothing(); /* tag: main nothing */
    hold_deep(3);   /* tag: main deep */
    checkpoint();   /* tag: main checkpoint */
    if (argc > 1 && strcmp(argv[1], "abort") == 0)
        abort();
    if (argc > 1 && strcmp(argv[1], "pause") == 0)
        pause();
    return 0;
}
