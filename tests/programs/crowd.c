/* Threads that allocate as fast as they can, as many as the first argument says, each with one
 * block that it keeps; one block is lost before they start. Says "ready" where all run. Each line
 * on its standard input is answered by how often all threads have come round since the last,
 * waiting until each has, and how many real-time signals have come in all. Ends where its input
 * does. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 64

static atomic_ulong rounds[MOST];
static atomic_ulong signals;
static atomic_bool is_over;
static void *volatile kept[MOST];

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static void *run(void *argument)
{
    size_t place = (size_t)argument;
    kept[place] = malloc(48); /* tag: kept */
    while (!is_over) {
        void *volatile block = malloc(16 + rounds[place] % 512);
        free(block);
        rounds[place]++;
    }
    return NULL;
}

__attribute__((noinline)) static void lose(void)
{
    void *volatile lost = malloc(777); /* tag: lost */
    lost = NULL;
    (void)lost;
}

__attribute__((noinline)) static void scrub(void)
{
    volatile char stack[8192];
    for (size_t i = 0; i < sizeof(stack); i++)
        stack[i] = 0;
}

/* Waits until each thread has come round; returns how often all have. */
static unsigned long rounds_of(size_t count)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned long before = rounds[i];
        while (rounds[i] == before)
            sched_yield();
        sum += rounds[i] - before;
    }
    return sum;
}

int main(int argc, char **argv)
{
    pthread_t threads[MOST];
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    char line[64];
    if (count > MOST)
        return 2;
    signal(SIGRTMIN, on_signal);
    lose();
    scrub();
    for (size_t i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    rounds_of(count);
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        return 1;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        printf("%lu %lu\n", rounds_of(count), (unsigned long)signals);
        fflush(stdout);
    }
    is_over = true;
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
