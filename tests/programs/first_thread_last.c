/* A process with threads that forks, and whose child has threads that allocate before the thread
 * that forked does:
 *
 *     first_thread_last handler|raw ROUNDS
 *
 * With `handler` an atfork handler of the program's, which is called before those of all libraries,
 * starts them; with `raw` no handler is called at all. New threads have the places of the parent's
 * other threads, so that starting them allocates nothing. The last child stops. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 12, BLOCKS = 500, LEVELS = 40 };

static pthread_t threads[THREADS];
static pthread_barrier_t meeting;
static atomic_bool has_allocated;
static bool is_ready;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static __attribute__((noinline)) void *allocate(unsigned level, size_t size)
{
    if (level == 0)
        return malloc(size);
    void *block = allocate(level - 1, size);
    __asm__ volatile("");
    return block;
}

static void allocate_often(void)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        free(allocate(i * 7 % LEVELS, 16 + i % 100));
}

static void *stay(void *unused)
{
    free(malloc(100));
    pthread_barrier_wait(&meeting);
    for (;;)
        pause();
    return unused;
}

static void *come_first(void *unused)
{
    free(malloc(100));
    atomic_store(&has_allocated, true);
    allocate_often();
    return unused;
}

static void start_threads(void)
{
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, come_first, NULL) != 0)
            _exit(3);
        while (!atomic_load(&has_allocated))
            sched_yield();
    }
}

static void in_child(void)
{
    if (is_ready)
        start_threads();
}

static void add_handler(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

/* Before any constructor of a library. */
__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = add_handler;

int main(int argc, char **argv)
{
    bool raw = argc == 3 && strcmp(argv[1], "raw") == 0;
    int rounds = argc == 3 ? atoi(argv[2]) : 0;
    pthread_barrier_init(&meeting, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, stay, NULL) != 0)
            return 2;
    pthread_barrier_wait(&meeting);
    free(malloc(100));
    is_ready = !raw;
    for (int round = 1; round <= rounds; round++) {
        pid_t child = raw ? _Fork() : fork();
        if (child == 0) {
            if (raw)
                start_threads();
            void *kept = malloc(1000);
            allocate_often();
            for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
            if (round == rounds)
                stop_here();
            free(kept);
            _exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    return 0;
}
