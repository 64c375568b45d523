/* Eight threads that allocate, and free what another has allocated. At stop_here
 * all are parked at a barrier. The stacks and the thread-local storage of the
 * threads are the C library's: more than the marks is live. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8
#define BLOCKS 1000

static void *blocks[THREADS][BLOCKS];
static void *late[THREADS][BLOCKS / 10];
static pthread_t threads[THREADS];
static pthread_barrier_t barrier;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *work(void *argument)
{
    size_t own = (size_t)argument;
    size_t other = (own + 1) % THREADS;

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[own][i] = malloc(64); /* heap: early size=8*500*64 count=8*500 */
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < BLOCKS; i += 2)
        free(blocks[other][i]);
    for (size_t i = 0; i < BLOCKS * 10; i++)
        free(malloc(i % 512)); /* heap: churn size=0 count=0 */
    for (size_t i = 0; i < BLOCKS / 10; i++)
        late[own][i] = calloc(1, 32); /* heap: late size=8*100*32 count=8*100 */
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            _exit(1);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    stop_here();
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}
