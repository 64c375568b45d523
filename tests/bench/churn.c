/* Allocates and frees without end from deep stacks, and prints what a pair costs.
 *
 *     churn DEPTH PAIRS THREADS
 *
 * Each thread keeps a window of live blocks and replaces one after the other: a free and
 * a malloc, PAIRS times, with DEPTH frames below malloc (the two of the C library's thread
 * start among them). With 0 THREADS the program's own thread does it, as the only one. The outer
 * frames stay, as in a program's main loop; the innermost ones, INNER_LEVELS functions and one that
 * allocates, are others from pair to pair. Prints a line for each thread: nanoseconds for each
 * pair. Nothing is random but looks so. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WINDOW = 4096,
    STEPS = 61, /* different ways in, one after the other */
    SIZES = 64,
    INNER_LEVELS = 4,
    /* clone, the thread's start, run_thread, loop, and what allocates */
    FRAMES_AROUND = 5,
    /* _start and three more instead of clone and the thread's start */
    MORE_IN_MAIN = 2,
    THREADS_MAX = 64,
};

struct thread {
    pthread_t id;
    size_t outer; /* calls between run_thread and loop */
    size_t inner; /* calls between loop and what allocates */
    size_t pairs;
    double nanoseconds; /* for each pair */
    void *window[WINDOW];
};

/* Bits: which function and line on each level, and which line of what allocates. */
static uint32_t steps[STEPS];
static uint32_t sizes[SIZES];
static pthread_barrier_t start;

static uint64_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Mostly small, as programs' blocks are. */
static void choose(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < STEPS; i++)
        steps[i] = (uint32_t)next_number(&state);
    for (size_t i = 0; i < SIZES; i++)
        sizes[i] = (uint32_t)(16 + next_number(&state) % (i % 8 == 0 ? 1000 : 200));
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* After a call, keeps it from being the function's last act, which would be a jump. */
#define STAY() __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) void *allocate(uint32_t step, size_t size)
{
    void *block;
    if (step & 1)
        block = malloc(size);
    else
        block = malloc(size + 8);
    if (block == NULL)
        abort();
    *(uint32_t *)block = step;
    return block;
}

static void *left(size_t levels, uint32_t step, size_t size);
static void *right(size_t levels, uint32_t step, size_t size);

/* Two functions with frames of different sizes, and two lines in each that call on. */
#define INNER(NAME, BYTES)                                                                         \
    static __attribute__((noinline)) void *NAME(size_t levels, uint32_t step, size_t size)         \
    {                                                                                              \
        char room[BYTES];                                                                          \
        void *block;                                                                               \
        __asm__ volatile("" ::"r"(room));                                                          \
        if (levels == 0)                                                                           \
            block = allocate(step, size);                                                          \
        else if (step & 1)                                                                         \
            block = left(levels - 1, step >> 2, size + (step & 2));                                \
        else                                                                                       \
            block = right(levels - 1, step >> 2, size + (step & 2));                               \
        STAY();                                                                                    \
        return block;                                                                              \
    }
INNER(left, 24)
INNER(right, 120)

/* Within loop, so that it has no frame of its own. */
static inline __attribute__((always_inline)) void *enter(const struct thread *thread, size_t pair,
                                                         size_t size)
{
    uint32_t step = steps[pair % STEPS];
    if (thread->inner == 0)
        return allocate(step, size);
    return step & 1 ? left(thread->inner - 1, step >> 1, size)
                    : right(thread->inner - 1, step >> 1, size);
}

static __attribute__((noinline)) void loop(struct thread *thread)
{
    uint64_t state = 2;
    for (size_t i = 0; i < WINDOW; i++)
        thread->window[i] = enter(thread, i, sizes[i % SIZES]);
    pthread_barrier_wait(&start);
    double begin = now();
    for (size_t i = 0; i < thread->pairs; i++) {
        void **place = &thread->window[next_number(&state) % WINDOW];
        free(*place);
        *place = enter(thread, i, sizes[i % SIZES]);
    }
    thread->nanoseconds = (now() - begin) / (double)thread->pairs;
    for (size_t i = 0; i < WINDOW; i++)
        free(thread->window[i]);
}

static __attribute__((noinline)) void descend(struct thread *thread, size_t calls)
{
    if (calls == 0)
        loop(thread);
    else
        descend(thread, calls - 1);
    STAY();
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    if (thread->outer == 0)
        loop(thread);
    else
        descend(thread, thread->outer - 1);
    STAY();
    return NULL;
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    size_t depth = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
    size_t pairs = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (depth < FRAMES_AROUND || pairs == 0 || count > THREADS_MAX) {
        fprintf(stderr, "usage: churn DEPTH PAIRS THREADS, with a depth of %d or more\n",
                FRAMES_AROUND);
        return 2;
    }
    choose();
    pthread_barrier_init(&start, NULL, count == 0 ? 1 : (unsigned)count);
    size_t between = depth - FRAMES_AROUND;
    for (size_t i = 0; i < (count == 0 ? 1 : count); i++) {
        threads[i].inner = between < INNER_LEVELS ? between : INNER_LEVELS;
        threads[i].outer = between - threads[i].inner;
        threads[i].pairs = pairs;
        if (count != 0 && pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) != 0)
            return 1;
    }
    if (count == 0) {
        size_t more = threads[0].outer < MORE_IN_MAIN ? threads[0].outer : MORE_IN_MAIN;
        threads[0].outer -= more;
        run_thread(&threads[0]);
        count = 1;
    } else {
        for (size_t i = 0; i < count; i++)
            pthread_join(threads[i].id, NULL);
    }
    for (size_t i = 0; i < count; i++)
        printf("%.2f\n", threads[i].nanoseconds);
    return 0;
}
