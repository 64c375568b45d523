/* Blocks that only something unknown leads to: a block from before tracing began, and memory that
 * is in no core. With an argument, the program ends by a trap where it would stop. */
#include <stdlib.h>
#include <sys/mman.h>

struct block {
    struct block *next;
};

static struct block *early;
static struct block **undumped;

__attribute__((noinline)) void phase(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

__attribute__((noinline)) static void hold(void)
{
    early->next = calloc(1, 77); /* tag: held by an early block */
    undumped[3] = calloc(1, 78); /* tag: held by undumped memory */
}

__attribute__((noinline)) static void lose(void)
{
    struct block *lost = calloc(1, 79); /* tag: lost */
    lost->next = lost;
}

/* Overwrites what calls have left, on the stack and in registers. */
__attribute__((noinline)) static void wipe(void)
{
    volatile char bytes[32 << 10];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}

int main(int argc, char **argv)
{
    (void)argv;
    early = calloc(1, 64);
    undumped = mmap(NULL, 96 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(undumped, 96 << 10, MADV_DONTDUMP);
    phase();
    free(malloc(10));
    hold();
    lose();
    wipe();
    stop_here(argc > 1);
    return 0;
}
