/* A heap that grows and shrinks by one call at a time, each of which is followed by some of the
 * units in which the hooks keep times. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void *volatile one;
static void *volatile other;
static void *volatile last;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Lets three hundredths of a second pass. */
static void pass(void)
{
    long long end = now() + 30000000;
    while (now() < end)
        continue;
}

/* With an argument it waits then, once it has said so. */
int main(int argc, char **argv)
{
    (void)argv;
    pass();
    one = malloc(1000);
    pass();
    other = malloc(2000);
    pass();
    free(one);
    pass();
    other = realloc(other, 5000);
    pass();
    one = malloc(1 << 20);
    pass();
    free(one);
    pass();
    one = NULL;
    last = malloc(7);
    stop_here();
    if (argc > 1 && write(1, "ready\n", 6) == 6)
        pause();
    return 0;
}
