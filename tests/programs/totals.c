/* Blocks that are allocated and freed again, some before anything else is allocated. Tags say what
 * the tests look for. */
#include <pthread.h>
#include <stdlib.h>

#define ROUNDS 1000

void *volatile kept[ROUNDS];
void *volatile one;
void *volatile other;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *allocate(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        one = malloc(30);   /* tag: freed out of order */
        other = malloc(20); /* tag: freed at once by its thread */
        free(other);
        free(one);
    }
    return argument;
}

static void *release(void *argument)
{
    free(argument);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    for (int i = 0; i < ROUNDS; i++)
        kept[i] = malloc(10); /* tag: kept */
    for (int i = 0; i < ROUNDS; i++) {
        one = malloc(100); /* tag: temporary */
        free(one);
    }
    if (pthread_create(&thread, NULL, allocate, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    for (int i = 0; i < 10; i++) {
        one = malloc(7); /* tag: freed by another thread */
        if (pthread_create(&thread, NULL, release, one) != 0)
            return 1;
        pthread_join(thread, NULL);
    }
    for (int i = 0; i < ROUNDS; i++) {
        one = malloc(50);       /* tag: resized */
        one = realloc(one, 60); /* tag: again */
        other = malloc(5);      /* tag: between */
        free(one);
        free(other);
    }
    one = malloc(1); /* tag: last */
    stop_here();
    return 0;
}
