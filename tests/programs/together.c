/* Lines of which one block keeps others alive, and lines of which only several do together. */
#include <stdlib.h>

struct block {
    struct block *held[2];
};

static struct block *pair[2];
static struct block *alone;

__attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

__attribute__((noinline)) static void hold(void)
{
    for (int i = 0; i < 2; i++)
        pair[i] = calloc(1, 100);           /* tag: two that hold one */
    struct block *shared = calloc(1, 1000); /* tag: held by both */
    pair[0]->held[0] = pair[1]->held[0] = shared;
    shared->held[0] = calloc(1, 30);  /* tag: held by that */
    pair[1]->held[1] = calloc(1, 20); /* tag: held by one */
    alone = calloc(1, 50);            /* tag: one that holds one */
    alone->held[0] = calloc(1, 60);   /* tag: held by it alone */
}

/* Overwrites what calls have left, on the stack and in registers. */
__attribute__((noinline)) static void wipe(void)
{
    volatile char bytes[32 << 10];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
#if defined(__x86_64__)
    __asm__ volatile("xorl %%eax, %%eax\n\txorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\t"
                     "xorl %%esi, %%esi\n\txorl %%edi, %%edi\n\txorl %%r8d, %%r8d\n\t"
                     "xorl %%r9d, %%r9d\n\txorl %%r10d, %%r10d\n\txorl %%r11d, %%r11d"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
#endif
}

int main(int argc, char **argv)
{
    (void)argv;
    hold();
    wipe();
    stop_here(argc > 1);
    return 0;
}
