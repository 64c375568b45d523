/* Threads that free each other's blocks: how much each of them gets done.
 *
 *     handing_on THREADS SECONDS
 *
 * Each thread allocates a block, puts it into one of PLACES that all share, and frees what was
 * there, mostly another's, until the time is over. None waits for another. Prints for each thread
 * how many blocks it has allocated. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACES = 4096, THREADS_MAX = 64 };

struct thread {
    pthread_t id;
    uint64_t state;
    uint64_t done;
} __attribute__((aligned(128)));

static void *places[PLACES];
static int is_over;
static pthread_barrier_t start;

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    pthread_barrier_wait(&start);
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        thread->state = thread->state * UINT64_C(6364136223846793005) + 1;
        uint32_t number = (uint32_t)(thread->state >> 33);
        void *block = malloc(16 + number % 200);
        if (block == NULL)
            abort();
        free(__atomic_exchange_n(&places[(number >> 8) % PLACES], block, __ATOMIC_ACQ_REL));
        thread->done++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    size_t count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned seconds = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (count == 0 || count > THREADS_MAX || seconds == 0) {
        fputs("usage: handing_on THREADS SECONDS\n", stderr);
        return 2;
    }
    sigset_t over;
    int number;
    sigemptyset(&over);
    sigaddset(&over, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &over, NULL);
    pthread_barrier_init(&start, NULL, (unsigned)count + 1);
    for (size_t i = 0; i < count; i++) {
        threads[i].state = i + 1;
        if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) != 0)
            return 1;
    }
    pthread_barrier_wait(&start);
    alarm(seconds);
    sigwait(&over, &number);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i].id, NULL);
    for (size_t i = 0; i < count; i++)
        printf("%llu\n", (unsigned long long)threads[i].done);
    return 0;
}
