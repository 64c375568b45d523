/* Forks again and again, and prints what a fork costs.
 *
 *     forks FORKS THREADS BLOCKS
 *
 * The process has BLOCKS live blocks, and so many THREADS that allocate and free meanwhile, each
 * with pauses. Each child allocates once and ends; the next fork waits for that. Prints the
 * median of microseconds for a fork, and the page faults for a fork in both processes. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FORKS_MAX = 100000, THREADS_MAX = 64, RING = 64, PAIRS = 100 };

static atomic_bool enough;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void *allocate(void *argument)
{
    void *ring[RING] = {NULL};
    for (size_t i = 0; !atomic_load(&enough); i++) {
        free(ring[i % RING]);
        ring[i % RING] = malloc(16 + i % 500);
        if (i % PAIRS == 0)
            sched_yield();
    }
    for (size_t i = 0; i < RING; i++)
        free(ring[i]);
    return argument;
}

static double fork_once(void)
{
    double begin = now();
    pid_t pid = fork();
    if (pid == 0) {
        void *volatile block = malloc(100);
        free(block);
        _exit(0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        exit(1);
    return now() - begin;
}

/* Of this process and all children that have ended. */
static double page_faults(void)
{
    struct rusage own;
    struct rusage children;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return (double)(own.ru_minflt + children.ru_minflt);
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one;
    double b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static double times[FORKS_MAX];
    pthread_t threads[THREADS_MAX];
    size_t forks = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
    size_t count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    size_t blocks = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (forks == 0 || forks > FORKS_MAX || count > THREADS_MAX) {
        fprintf(stderr, "usage: forks FORKS THREADS BLOCKS\n");
        return 2;
    }
    for (size_t i = 0; i < blocks; i++)
        if (malloc(64) == NULL)
            return 1;
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, allocate, NULL) != 0)
            return 1;
    double before = page_faults();
    for (size_t i = 0; i < forks; i++)
        times[i] = fork_once();
    double faults = (page_faults() - before) / (double)forks;
    atomic_store(&enough, true);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    qsort(times, forks, sizeof(times[0]), compare);
    printf("%.1f %.1f\n", times[forks / 2], faults);
    return 0;
}
