/* Holds lines of blocks of different sizes, which threads have allocated, and has freed others;
 * then it changes some of what it holds. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, SMALL = 5000, AROUND = 200, LARGE = 20, KEPT = 3 * SMALL + AROUND + LARGE };

static void *kept[THREADS][KEPT];
static pthread_barrier_t all;

__attribute__((noinline)) void stop_here(int round)
{
    __asm__ volatile("" ::"r"(round));
}

static void *run(void *argument)
{
    void **blocks = argument;
    size_t n = 0;
    for (size_t i = 0; i < SMALL; i++)
        blocks[n++] = malloc(64); /* heap: small size=4*5000*64 count=4*5000 in=first */
    for (size_t i = 0; i < SMALL; i++)
        blocks[n++] = calloc(i % 2 + 1, 48); /* heap: mixed size=4*2500*144 count=4*5000 */
    for (size_t i = 0; i < SMALL; i++) {
        free(malloc(640));                     /* heap: freed size=0 count=0 */
        blocks[n++] = realloc(malloc(16), 80); /* heap: resized size=4*5000*80 count=4*5000 */
    }
    for (size_t i = 0; i < AROUND; i++)
        blocks[n++] = malloc(4000 + i); /* heap: around size=4*819900 count=4*200 */
    for (size_t i = 0; i < LARGE; i++)
        blocks[n++] = malloc(1000000); /* heap: large size=4*20*1000000 count=4*20 */
    pthread_barrier_wait(&all);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&all, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, kept[i]) != 0)
            _exit(1);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stop_here(0);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 0; j < SMALL; j++) {
            free(kept[i][j]);
            kept[i][j] = NULL;
        }
    stop_here(1);
    _exit(0);
}
