/* A program with jemalloc linked into it: no hooks stand before that. */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

int mallctl(const char *name, void *old, size_t *old_bytes, void *new, size_t new_bytes);

static void *kept[100];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    size_t allocated = 0;
    size_t bytes = sizeof(allocated);
    for (size_t i = 0; i < 100; i++)
        kept[i] = malloc(1000);
    if (mallctl("stats.allocated", &allocated, &bytes, NULL, 0) != 0 || allocated < 100 * 1000)
        _exit(1);
    stop_here();
    _exit(0);
}
