/* Makes as many stacks as there are ways through so many calls, each with one block that is
 * freed at once: from one stop to the next, the hooks' memory grows by stacks alone. */
#include <stdlib.h>
#include <unistd.h>

enum { LEVELS_BEFORE = 9, LEVELS = 17 };

__attribute__((noinline)) void stop_here(void);
__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *volatile last;

static void left(int levels);

/* The assembly keeps the last call from being a jump. */
static __attribute__((noinline)) void right(int levels)
{
    if (levels == 0) {
        last = malloc(8);
        free(last);
    } else {
        left(levels - 1);
        right(levels - 1);
    }
    __asm__ volatile("");
}

static __attribute__((noinline)) void left(int levels)
{
    if (levels == 0) {
        last = malloc(16);
        free(last);
    } else {
        left(levels - 1);
        right(levels - 1);
    }
    __asm__ volatile("");
}

int main(void)
{
    left(LEVELS_BEFORE);
    stop_here();
    left(LEVELS);
    stop_here();
    _exit(0);
}
