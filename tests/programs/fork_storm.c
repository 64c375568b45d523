/* Forks again and again while three threads allocate. Each child allocates, frees and
 * ends; the last one first comes to stop_here, as does the parent when all have ended.
 * `rings` is what the threads have at the moment, but for one block of each that may be
 * between the allocator and its place. A child or parent that hangs ends by SIGALRM. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3
#define RING 32
#define FORKS 300
#define IN_CHILD 500

static void *volatile rings[THREADS][RING];
static void *in_child[IN_CHILD];
static void *in_parent[FORKS];
static volatile bool enough;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) void before_last_fork(void)
{
    __asm__ volatile("");
}

static void *churn(void *argument)
{
    void *volatile *ring = rings[(size_t)argument];
    for (size_t i = 0; !enough; i++) {
        void *old = ring[i % RING];
        ring[i % RING] = NULL;
        free(old);
        ring[i % RING] = malloc(16 + i % 600); /* tag: churn */
    }
    for (size_t i = 0; i < RING; i++) {
        free(ring[i]);
        ring[i] = NULL;
    }
    return NULL;
}

static void child(bool last)
{
    alarm(60);
    for (size_t i = 0; i < THREADS * RING; i++)
        free(rings[i / RING][i % RING]);
    for (size_t i = 0; i < IN_CHILD; i++)
        in_child[i] = malloc(80); /* tag: in child */
    for (size_t i = 0; i < IN_CHILD; i += 2)
        free(in_child[i]);
    for (size_t i = 1; i < IN_CHILD; i += 2)
        in_child[i] = realloc(in_child[i], 90); /* tag: resized in child */
    if (last)
        stop_here();
    _exit(7);
}

int main(void)
{
    pthread_t threads[THREADS];
    alarm(100);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, churn, (void *)i) != 0)
            _exit(1);
    for (size_t i = 0; i < FORKS; i++) {
        int status;
        if (i == FORKS - 1)
            before_last_fork();
        pid_t pid = fork();
        if (pid == 0)
            child(i == FORKS - 1);
        in_parent[i] = malloc(70); /* tag: in parent */
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 7)
            _exit(2);
    }
    enough = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stop_here();
    _exit(0);
}
