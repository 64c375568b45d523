/* Optimised, with calls inlined into each other: one address, several frames.
 * heap-total: exact */
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept[8];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

__attribute__((always_inline)) static inline void *innermost(size_t size)
{
    return malloc(size); /* heap: innermost size=10+20+40 count=3 */
}

__attribute__((always_inline)) static inline void *middle(size_t size)
{
    return innermost(size + 0);
}

__attribute__((noinline)) static void outer(void)
{
    kept[0] = middle(10);
    kept[1] = innermost(20);
    kept[2] = malloc(30); /* heap: outer size=30 count=1 */
}

int main(void)
{
    outer();
    kept[3] = middle(40);
    stop_here();
    _exit(0);
}
