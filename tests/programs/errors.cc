/* Blocks that are freed twice, and what was never a block, over an allocator that puts up with it.
 * Tags say what the tests look for. */
#include <cstdlib>
#include <new>
#include <pthread.h>

static int cell[4];
void *volatile kept;

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

extern "C" __attribute__((noinline)) void stop_later()
{
    __asm__ volatile("");
}

static void *take_over(void *block)
{
    free(block); /* tag: freed by a thread */
    return nullptr;
}

int main()
{
    pthread_t thread;
    void *volatile block = malloc(1000); /* tag: allocated */
    free(block);                         /* tag: freed */
    for (int i = 0; i < 2; i++)
        free(block);                     /* tag: freed again */
    void *volatile handed = malloc(200); /* tag: handed on */
    if (pthread_create(&thread, nullptr, take_over, handed) != 0)
        return 1;
    pthread_join(thread, nullptr);
    free(handed);                       /* tag: freed after a thread */
    void *volatile small = malloc(300); /* tag: to be resized */
    free(small);                        /* tag: not to be resized */
    kept = realloc(small, 400);         /* tag: resized */
    int *volatile one = new int(1);     /* tag: one */
    delete one;                         /* tag: deleted */
    delete one;                         /* tag: deleted again */
    void *volatile known = malloc(50);  /* tag: known */
    free(known);                        /* tag: end of the known */
    free(&cell[2]);                     /* tag: never a block */
    stop_here();
    free(known); /* tag: once more */
    free(block); /* tag: long after */
    stop_later();
    return 0;
}
