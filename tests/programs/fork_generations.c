/* A process with threads that forks, whose child makes as many threads and forks again. Each
 * generation stops once when its threads are all there. */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define GENERATIONS 4
#define THREADS 64

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *stay(void *meeting)
{
    free(malloc(24)); /* heap: stay size=0 count=0 */
    pthread_barrier_wait(meeting);
    for (;;)
        pause();
    return NULL;
}

static void start_threads(void)
{
    static pthread_barrier_t meeting;
    pthread_barrier_init(&meeting, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, stay, &meeting) != 0)
            _exit(1);
    }
    pthread_barrier_wait(&meeting);
}

/* Of the thread that forked, in each generation after its threads have allocated. */
static void *kept[GENERATIONS];

int main(void)
{
    mallopt(M_ARENA_MAX, 1);
    for (int generation = 0; generation < GENERATIONS; generation++) {
        start_threads();
        kept[generation] = malloc(1000 + (size_t)generation); /* heap: kept size=1000 count=1 */
        stop_here();
        pid_t child = fork();
        if (child == 0)
            continue;
        int status;
        if (waitpid(child, &status, 0) != child)
            _exit(2);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
    }
    _exit(0);
}
