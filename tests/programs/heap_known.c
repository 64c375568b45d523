/* A heap that is known: in the main arena and in another, blocks in use, free ones in a bin, in a
 * fast bin and in a cache, and large ones. Writes what mallinfo2(3) says of it, and waits. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIVE = 10, FREED = 10 };

static void *kept[3 * LIVE];
static void *large[2];
static pthread_barrier_t is_filled;

static void fill(size_t first)
{
    void *freed[FREED];
    for (size_t i = 0; i < FREED; i++)
        freed[i] = malloc(40);
    for (size_t i = 0; i < LIVE; i++) {
        kept[first + i] = malloc(100);
        void *hole = malloc(3000);
        kept[2 * LIVE + i] = malloc(2000);
        free(hole);
    }
    /* Seven of a size go to the cache, others to a fast bin. */
    for (size_t i = 0; i < FREED; i++)
        free(freed[i]);
}

static void *other(void *unused)
{
    fill(LIVE);
    pthread_barrier_wait(&is_filled);
    pause();
    return unused;
}

int main(int argc, char **argv)
{
    (void)argv;
    pthread_t thread;
    pthread_barrier_init(&is_filled, NULL, 2);
    if (pthread_create(&thread, NULL, other, NULL) != 0)
        return 1;
    pthread_barrier_wait(&is_filled);
    /* Large requests empty the fast bins. */
    large[0] = malloc(1 << 20);
    large[1] = malloc(3 << 20);
    fill(0);
    struct mallinfo2 info = mallinfo2();
    static char line[200];
    int length = snprintf(line, sizeof(line), "%zu %zu %zu %zu %zu %zu %zu %zu %zu\n", info.arena,
                          info.hblks, info.hblkhd, info.uordblks, info.fordblks, info.fsmblks,
                          info.smblks, info.ordblks, info.keepcost);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        return 1;
    if (argc > 1)
        abort();
    pause();
    return 0;
}
