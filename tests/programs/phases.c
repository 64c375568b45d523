/* Rounds of eight threads. In each, every thread frees what it asked for two rounds ago
 * and asks for ten blocks of 100 + 20 * round bytes; at stop_here all are parked at a
 * barrier. All is freed before the end. The marks hold at the first stop. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 6
#define BLOCKS 10

static void *blocks[ROUNDS][THREADS][BLOCKS];
static pthread_barrier_t barrier;

__attribute__((noinline)) void stop_here(int round)
{
    __asm__ volatile("" : : "r"(round));
}

static void free_round(size_t round, size_t own)
{
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[round][own][i]);
}

static void one_round(size_t round, size_t own)
{
    if (round >= 2)
        free_round(round - 2, own);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[round][own][i] =
            malloc(100 + 20 * round); /* heap: asked size=8*10*100 count=8*10 in=first */
}

static void *work(void *argument)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        one_round(round, (size_t)argument);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, work, (void *)i) != 0)
            _exit(1);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        stop_here(round);
        pthread_barrier_wait(&barrier);
    }
    for (size_t own = 0; own < THREADS; own++) {
        free_round(ROUNDS - 2, own);
        free_round(ROUNDS - 1, own);
    }
    _exit(0);
}
