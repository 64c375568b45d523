/* Comes to malloc by more ways than the hooks remember: three functions, each one of eight and
 * called from one of eight lines, below outer frames that change, on another stack (swapcontext),
 * where a handler has jumped out (siglongjmp), in threads and in a child. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { WAYS = 8 * 8 * 8 * 8, ROUNDS = 2, THREADS = 2, STACK_BYTES = 1 << 18 };

static uint32_t order(uint32_t number)
{
    return number * 2654435761u >> 7 & (WAYS - 1);
}

#define STAY() __asm__ volatile("" ::: "memory")

#define LINE(NUMBER, CALL)                                                                         \
    case NUMBER:                                                                                   \
        block = CALL(NUMBER);                                                                      \
        __asm__ volatile("" ::"r"(block), "i"(NUMBER));                                            \
        break;
#define LINES(CHOICE, CALL)                                                                        \
    switch ((CHOICE) % 8) {                                                                        \
        LINE(0, CALL)                                                                              \
        LINE(1, CALL)                                                                              \
        LINE(2, CALL)                                                                              \
        LINE(3, CALL)                                                                              \
        LINE(4, CALL)                                                                              \
        LINE(5, CALL)                                                                              \
        LINE(6, CALL)                                                                              \
        LINE(7, CALL)                                                                              \
    }

/* The room differs, and so do where the callers' frames are. */
#define FUNCTION(NAME, SHIFT, BYTES, CALL)                                                         \
    static __attribute__((noinline)) void *NAME(uint32_t way)                                      \
    {                                                                                              \
        char room[BYTES];                                                                          \
        void *block = NULL;                                                                        \
        __asm__ volatile("" ::"r"(room));                                                          \
        LINES(way >> (SHIFT), CALL)                                                                \
        STAY();                                                                                    \
        return block;                                                                              \
    }
#define FUNCTIONS(NAME, SHIFT, CALL)                                                               \
    FUNCTION(NAME##0, SHIFT, 24, CALL)                                                             \
    FUNCTION(NAME##1, SHIFT, 40, CALL)                                                             \
    FUNCTION(NAME##2, SHIFT, 56, CALL)                                                             \
    FUNCTION(NAME##3, SHIFT, 24, CALL)                                                             \
    FUNCTION(NAME##4, SHIFT, 120, CALL)                                                            \
    FUNCTION(NAME##5, SHIFT, 40, CALL)                                                             \
    FUNCTION(NAME##6, SHIFT, 24, CALL)                                                             \
    FUNCTION(NAME##7, SHIFT, 200, CALL)

#define ALLOCATE(NUMBER) malloc(way)
#define LAST(NUMBER) last##NUMBER(way)
#define MIDDLE(NUMBER) middle##NUMBER(way)
#define FIRST(NUMBER) first##NUMBER(way)
FUNCTIONS(last, 0, ALLOCATE)
FUNCTIONS(middle, 3, LAST)
FUNCTIONS(first, 6, MIDDLE)

static void *come_to(uint32_t way)
{
    void *block = NULL;
    LINES(way >> 9, FIRST)
    if (block == NULL)
        abort();
    return block;
}

static __attribute__((noinline)) void come_by_all(void)
{
    for (uint32_t i = 0; i < WAYS; i++)
        free(come_to(order(i)));
    STAY();
}

static __attribute__((noinline)) void descend(int levels)
{
    if (levels == 0)
        come_by_all();
    else
        descend(levels - 1);
    STAY();
}

static ucontext_t here, there;

static void on_another_stack(void)
{
    descend(3);
}

static sigjmp_buf back;
static volatile uint32_t handled;

static void jump_out(int signal)
{
    (void)signal;
    free(come_to(order(handled++)));
    siglongjmp(back, 1);
}

static __attribute__((noinline)) void jump_about(void)
{
    for (volatile uint32_t i = 0; i < WAYS / 4; i++) {
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
        free(come_to(order(i)));
    }
    STAY();
}

static void *in_a_thread(void *argument)
{
    for (int i = 0; i < ROUNDS; i++)
        descend(5 + (argument != NULL));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int status = 1;
    signal(SIGUSR1, jump_out);
    for (int round = 0; round < ROUNDS; round++)
        for (int levels = 0; levels < 12; levels += 5)
            descend(levels);
    jump_about();
    getcontext(&there);
    there.uc_stack.ss_sp = malloc(STACK_BYTES);
    there.uc_stack.ss_size = STACK_BYTES;
    there.uc_link = &here;
    makecontext(&there, on_another_stack, 0);
    swapcontext(&here, &there);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, in_a_thread, i == 0 ? NULL : &threads) != 0)
            return 1;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pid_t child = fork();
    if (child == 0) {
        descend(2);
        return 0;
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return 1;
    descend(7);
    return 0;
}
