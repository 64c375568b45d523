/* Allocates and frees from stacks whose innermost frames are others from call to call.
 *
 *     varying FRAMES LIVE PAIRS THREADS
 *
 * Each thread keeps LIVE blocks and replaces one of them, chosen at random, after the other: a free
 * and a malloc, PAIRS times. Below malloc are CONSTANT_FRAMES that stay and FRAMES (0 to 3) that
 * are each one of eight functions, which calls on from one of eight lines. With 0 THREADS the
 * program's own thread does it, as the only one. Prints the processor time of each thread:
 * nanoseconds for each pair. Nothing is random but looks so. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FRAMES_MAX = 3,
    CONSTANT_FRAMES = 16,
    /* in a thread: clone, its start, run_thread, loop, and a first one of descend */
    FRAMES_AROUND = 5,
    THREADS_MAX = 64,
    BITS = 3, /* of what is chosen on each level */
};

struct thread {
    pthread_t id;
    uint64_t state;
    double nanoseconds; /* for each pair */
    void **blocks;
};

static size_t frames, live, pairs;
static pthread_barrier_t start;

static inline uint32_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Mostly small, as programs' blocks are. */
static inline size_t size_of(uint32_t number)
{
    return 16 + (number >> 8) % ((number & 7) == 0 ? 1000 : 200);
}

/* After a call, keeps it from being the function's last act, which would be a jump. */
#define STAY() __asm__ volatile("" ::: "memory")

/* A call on each of eight lines. */
#define ONE_LINE(NUMBER, CALL)                                                                     \
    case NUMBER:                                                                                   \
        block = CALL(NUMBER);                                                                      \
        __asm__ volatile("" ::"r"(block), "i"(NUMBER));                                            \
        break
#define EIGHT_LINES(CHOICE, CALL)                                                                  \
    switch ((CHOICE) % 8) {                                                                        \
        ONE_LINE(0, CALL);                                                                         \
        ONE_LINE(1, CALL);                                                                         \
        ONE_LINE(2, CALL);                                                                         \
        ONE_LINE(3, CALL);                                                                         \
        ONE_LINE(4, CALL);                                                                         \
        ONE_LINE(5, CALL);                                                                         \
        ONE_LINE(6, CALL);                                                                         \
        ONE_LINE(7, CALL);                                                                         \
    }

/* Eight functions whose frames have different sizes. Each chooses what it does next. */
#define FUNCTION(NAME, BYTES, NEXT)                                                                \
    static __attribute__((noinline)) void *NAME(uint32_t choices, size_t size)                     \
    {                                                                                              \
        char room[BYTES];                                                                          \
        void *block = NULL;                                                                        \
        __asm__ volatile("" ::"r"(room));                                                          \
        EIGHT_LINES(choices, NEXT)                                                                 \
        STAY();                                                                                    \
        return block;                                                                              \
    }
#define EIGHT_FUNCTIONS(NAME, NEXT)                                                                \
    FUNCTION(NAME##0, 24, NEXT)                                                                    \
    FUNCTION(NAME##1, 40, NEXT)                                                                    \
    FUNCTION(NAME##2, 56, NEXT)                                                                    \
    FUNCTION(NAME##3, 24, NEXT)                                                                    \
    FUNCTION(NAME##4, 120, NEXT)                                                                   \
    FUNCTION(NAME##5, 40, NEXT)                                                                    \
    FUNCTION(NAME##6, 24, NEXT)                                                                    \
    FUNCTION(NAME##7, 200, NEXT)

#define ALLOCATE(NUMBER) malloc(size)
#define LAST(NUMBER) last##NUMBER(choices >> BITS, size)
#define MIDDLE(NUMBER) middle##NUMBER(choices >> BITS, size)
#define FIRST(NUMBER) first##NUMBER(choices >> BITS, size)
EIGHT_FUNCTIONS(last, ALLOCATE)
EIGHT_FUNCTIONS(middle, LAST)
EIGHT_FUNCTIONS(first, MIDDLE)

/* Within loop, so that it has no frame of its own. */
static inline __attribute__((always_inline)) void *allocate(struct thread *thread)
{
    uint32_t choices = next_number(&thread->state) >> 8;
    size_t size = size_of(next_number(&thread->state));
    void *block = NULL;
    if (frames == 0)
        block = malloc(size);
    else if (frames == 1)
        EIGHT_LINES(choices, LAST)
    else if (frames == 2)
        EIGHT_LINES(choices, MIDDLE)
    else
        EIGHT_LINES(choices, FIRST)
    if (block == NULL)
        abort();
    *(uint32_t *)block = choices;
    return block;
}

static __attribute__((noinline)) void loop(struct thread *thread)
{
    for (size_t i = 0; i < live; i++)
        thread->blocks[i] = allocate(thread);
    pthread_barrier_wait(&start);
    double begin = now();
    for (size_t i = 0; i < pairs; i++) {
        void **place = &thread->blocks[next_number(&thread->state) % live];
        free(*place);
        *place = allocate(thread);
    }
    if (pairs != 0)
        thread->nanoseconds = (now() - begin) / (double)pairs;
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
    descend(argument, CONSTANT_FRAMES - FRAMES_AROUND);
    STAY();
    return NULL;
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    size_t count = argc == 5 ? strtoul(argv[4], NULL, 10) : SIZE_MAX;
    frames = argc == 5 ? strtoul(argv[1], NULL, 10) : 0;
    live = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
    pairs = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    if (frames > FRAMES_MAX || live == 0 || count > THREADS_MAX) {
        fprintf(stderr, "usage: varying FRAMES LIVE PAIRS THREADS, with at most %d frames\n",
                FRAMES_MAX);
        return 2;
    }
    size_t all = count == 0 ? 1 : count;
    pthread_barrier_init(&start, NULL, (unsigned)all);
    for (size_t i = 0; i < all; i++) {
        threads[i].state = i + 1;
        threads[i].blocks = calloc(live, sizeof(void *));
        if (threads[i].blocks == NULL ||
            (count != 0 && pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) != 0))
            return 1;
    }
    if (count == 0)
        run_thread(&threads[0]);
    else
        for (size_t i = 0; i < count; i++)
            pthread_join(threads[i].id, NULL);
    for (size_t i = 0; i < all; i++)
        printf("%.2f\n", threads[i].nanoseconds);
    return 0;
}
