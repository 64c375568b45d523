/* Recursion as deep as the first argument says, with an allocation in every so many levels
 * as the second says. `descend` is in the stack once for each level. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void **kept;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) static void descend(size_t level, size_t levels, size_t every)
{
    if (level % every == 0)
        kept[level] = malloc(level); /* tag: level */
    if (level < levels)
        descend(level + 1, levels, every);
    __asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
    size_t levels = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    size_t every = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        _exit(1);
    /* The stack of the main thread grows as far as the limit is now. */
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? 64UL << 20 : limit.rlim_max;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        _exit(2);
    kept = calloc(levels + 1, sizeof(*kept)); /* tag: places */
    descend(1, levels, every);
    stop_here();
    _exit(0);
}
