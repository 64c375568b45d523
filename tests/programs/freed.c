/* Blocks that are freed: where they were allocated, by another thread, by a realloc that moves them
 * and not by one that does not, and one whose address is in use again. Tags say what the tests look
 * for. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "allocsnap_hooks.h"

#define ROUNDS 10
#define HANDED 5

void *volatile in_use;
void *volatile not_in_use;
static void *handed[HANDED];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *take_over(void *argument)
{
    for (int i = 0; i < HANDED; i++)
        free(handed[i]); /* tag: freed by a thread */
    return argument;
}

int main(void)
{
    void *blocks[ROUNDS];
    pthread_t thread;
    for (int i = 0; i < ROUNDS; i++)
        blocks[i] = malloc(1000); /* tag: allocated */
    for (int i = 0; i < ROUNDS; i++)
        free(blocks[i]); /* tag: freed */
    for (int i = 0; i < HANDED; i++)
        handed[i] = malloc(200); /* tag: handed on */
    if (pthread_create(&thread, NULL, take_over, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    char *grown = malloc(300); /* tag: to be moved */
    char *behind = malloc(300);
    not_in_use = grown;
    grown = realloc(grown, 250);      /* tag: in place */
    grown = realloc(grown, 1 << 20);  /* tag: moved */
    in_use = malloc(48);              /* tag: first life */
    free(in_use);                     /* tag: its end */
    in_use = malloc(48);              /* tag: second life */
    allocsnap_track(7, 0x500000, 70); /* tag: told */
    allocsnap_untrack(7, 0x500000);   /* tag: told no more */
    stop_here();
    free(behind);
    free(grown);
    free(in_use);
    return 0;
}
