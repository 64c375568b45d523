/* Allocates and frees without end, in as many threads as told, after it has said "ready": small
 * blocks and large ones, aligned ones, moved ones, and now and then memory goes back to the system.
 * With a second argument, each of these threads has others do it, one after the other, which end.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEPT = 2000, BRIEF = 20000 };

static bool are_brief;

static void *new_block(unsigned random, size_t size)
{
    size_t alignment = (size_t)64 << random % 5;
    if (random % 7 == 0)
        return aligned_alloc(alignment, (size / alignment + 1) * alignment);
    return random % 5 == 0 ? calloc(1, size) : malloc(size);
}

static void change(void **block, unsigned random, size_t size)
{
    if (*block != NULL && random % 4 == 0) {
        *block = realloc(*block, size + 1);
    } else if (*block != NULL) {
        free(*block);
        *block = NULL;
    } else {
        *block = new_block(random, size);
    }
}

static void *churn(void *argument)
{
    uint64_t state = 1 + (uint64_t)(uintptr_t)argument;
    void **blocks = calloc(KEPT, sizeof(*blocks));
    if (blocks == NULL)
        abort();
    for (unsigned round = 0; !are_brief || round < BRIEF; round++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        unsigned random = (unsigned)(state >> 40) % 100;
        size_t most = random < 80 ? 300 : random < 98 ? 9000 : 400000;
        change(&blocks[(state >> 33) % KEPT], random, (size_t)(state >> 20) % most);
        if (random == 99 && state >> 60 == 0)
            malloc_trim(0);
    }
    for (int i = 0; i < KEPT; i++)
        free(blocks[i]);
    free(blocks);
    return NULL;
}

static void *renew(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    for (pthread_t thread;; number += 100) {
        if (pthread_create(&thread, NULL, churn, (void *)number) != 0)
            abort();
        pthread_join(thread, NULL);
    }
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    are_brief = argc > 2;
    void *(*work)(void *) = are_brief ? renew : churn;
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void *)(uintptr_t)i) != 0)
            abort();
    }
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        abort();
    work(NULL);
}
