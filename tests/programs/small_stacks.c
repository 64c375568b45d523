/* Threads with the smallest stack that there may be, each with an unmapped page below, that
 * allocate. What pthread_create keeps for each of them is the C library's. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 4

static void *kept[THREADS][100];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *work(void *argument)
{
    size_t self = (size_t)argument;
    for (size_t i = 0; i < 100; i++) {
        kept[self][i] = malloc(24);                  /* heap: before size=0 count=0 */
        kept[self][i] = realloc(kept[self][i], 240); /* heap: held size=4*100*240 count=4*100 */
        free(calloc(1, 10));                         /* heap: freed size=0 count=0 */
    }
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t threads[THREADS];
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) != 0)
        _exit(1);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], &attributes, work, (void *)i) != 0)
            _exit(2);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stop_here();
    _exit(0);
}
