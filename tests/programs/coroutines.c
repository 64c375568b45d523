/* Stacks that the program makes itself: by makecontext, of several sizes, unmapped and
 * mapped again at the same addresses, hundreds at a time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))
#define COROUTINES 200
#define TURNS 3
#define ROUNDS 3

struct coroutine {
    ucontext_t context;
    void *stack;
    size_t bytes;
    int over;
};

static struct coroutine coroutines[COROUTINES];
static struct coroutine *current;
static ucontext_t scheduler;
static void *volatile sink;
static volatile unsigned allocations;

NOINLINE static void allocate(size_t bytes)
{
    sink = malloc(bytes);
    free(sink);
    allocations = allocations + 1;
}

NOINLINE static unsigned work(unsigned depth)
{
    volatile char pad[40];
    pad[depth % 40] = 1;
    allocate(depth + 1);
    if (depth == 0) {
        swapcontext(&current->context, &scheduler);
        return 0;
    }
    unsigned below = work(depth - 1);
    allocate(depth + 2);
    return below + (unsigned)pad[depth % 40];
}

static void run(int number)
{
    for (unsigned turn = 0; turn < TURNS; turn++)
        work((unsigned)number % 13 + turn);
    current->over = 1;
}

static size_t bytes_of(unsigned number, unsigned round)
{
    return (size_t)16384 << (number + round) % 3;
}

static int start(unsigned number, unsigned round)
{
    struct coroutine *coroutine = &coroutines[number];
    coroutine->bytes = bytes_of(number, round);
    coroutine->over = 0;
    coroutine->stack =
        mmap(NULL, coroutine->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (coroutine->stack == MAP_FAILED || getcontext(&coroutine->context) != 0)
        return 0;
    coroutine->context.uc_stack.ss_sp = coroutine->stack;
    coroutine->context.uc_stack.ss_size = coroutine->bytes;
    coroutine->context.uc_link = &scheduler;
    makecontext(&coroutine->context, (void (*)(void))run, 1, (int)number);
    return 1;
}

int main(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned left = COROUTINES;
        for (unsigned i = 0; i < COROUTINES; i++)
            if (!start(i, round))
                return 1;
        while (left > 0) {
            for (unsigned i = 0; i < COROUTINES; i++) {
                if (coroutines[i].over)
                    continue;
                current = &coroutines[i];
                swapcontext(&scheduler, &current->context);
                allocate(7);
                if (!current->over)
                    continue;
                left--;
                munmap(current->stack, current->bytes);
            }
        }
    }
    printf("%u allocations\n", allocations);
    return 0;
}
