/* Handlers that interrupt each other's allocations, deeper than handlers of a program ever do: the
 * processor's trap flag (x86-64) brings the next one there after so many instructions of the last
 * one's malloc. All blocks are kept; how many there are is printed. The allocator is
 * libsafealloc.c. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#define DEPTH 24
#define FIRST_AFTER 300
#define LAST_AFTER 2400
#define STEP 300

static void *kept[DEPTH * (LAST_AFTER / STEP + 1)];
static size_t kept_count;
static size_t depth;
static long after; /* so many instructions of a handler's malloc; of the first, FIRST_AFTER */
static long left;

__attribute__((noinline)) static void allocate(void)
{
    kept[kept_count++] = malloc(48); /* tag: kept */
}

#if defined(__x86_64__)

#define TRAP_FLAG 0x100

static void set_flag(void)
{
    __asm__ volatile("subq $128, %%rsp\n\t"
                     "pushfq\n\t"
                     "orq $0x100, (%%rsp)\n\t"
                     "popfq\n\t"
                     "addq $128, %%rsp"
                     :
                     :
                     : "memory", "cc");
}

static void allocate_and_nest(void)
{
    depth++;
    left = depth == 1 ? FIRST_AFTER : after;
    set_flag();
    allocate();
    /* Where it took fewer instructions, nothing is nested. */
    left = -1;
    __asm__ volatile("" ::: "memory");
}

static void on_trap(int number, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    (void)number;
    (void)info;
    if (left > 0 && --left > 0)
        return;
    interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    if (left == 0 && depth < DEPTH)
        allocate_and_nest();
}

#else

static void allocate_and_nest(void)
{
    allocate();
}

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
}

#endif

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGTRAP, &action, NULL) != 0)
        return 1;
    for (after = FIRST_AFTER; after <= LAST_AFTER; after += STEP) {
        depth = 0;
        allocate_and_nest();
    }
    printf("%zu\nready\n", kept_count);
    fflush(stdout);
    for (;;)
        pause();
}
