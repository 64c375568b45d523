/* A program for the sanitizers of gcc and clang. Given "freed", it uses a freed block in the end,
 * given "lost", it loses one. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *kept[10];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *thread(void *argument)
{
    free(malloc(77));
    return argument;
}

__attribute__((noinline)) static void lose(void)
{
    char *volatile block = malloc(12345);
    memset(block, 0, 12345);
    block = NULL;
}

int main(int count, char **arguments)
{
    pthread_t other;
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    for (int i = 0; i < 10; i++)
        kept[i] = malloc((size_t)(100 + i)); /* tag: kept */
    for (int i = 0; i < 5; i++) {
        free(kept[i]);
        kept[i] = NULL;
    }
    kept[5] = realloc(kept[5], 3000); /* tag: moved */
    stop_here();
    if (count > 1 && strcmp(arguments[1], "lost") == 0)
        lose();
    if (count > 1 && strcmp(arguments[1], "freed") == 0) {
        char *volatile block = malloc(33);
        free(block);
        block[3] = 1;
    }
    puts("done");
    return 0;
}
