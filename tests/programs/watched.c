/* Reaches limits of the heap, one step after the other. Nothing else here allocates. The first
 * argument is what it does, the second how many blocks, the third their size. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, MOST = 100000, ALIGNMENT = 64 };

static void *volatile kept[MOST];
static unsigned long blocks;
static unsigned long size;

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        abort();
}

static __attribute__((noinline)) void grow(void)
{
    for (unsigned long i = 0; i < blocks; i++)
        kept[i] = malloc(size); /* tag: grow */
}

/* Every function, each for a fifth of the blocks. */
static __attribute__((noinline)) void grow_anyhow(void)
{
    for (unsigned long i = 0; i < blocks; i++) {
        void *block = NULL;
        switch (i % 5) {
        case 0:
            block = calloc(1, size);
            break;
        case 1:
            block = realloc(malloc(1), size);
            break;
        case 2:
            block = memalign(ALIGNMENT, size);
            break;
        case 3:
            if (posix_memalign(&block, ALIGNMENT, size) != 0)
                abort();
            break;
        default:
            block = malloc(size);
        }
        kept[i] = block;
    }
}

static __attribute__((noinline)) void ask(size_t bytes)
{
    kept[0] = malloc(bytes); /* tag: ask */
    say(kept[0] == NULL ? "nothing\n" : "a block\n");
}

static void fail(void)
{
    /* Compilers warn of a size that they see. */
    volatile size_t most = SIZE_MAX / 4;
    void *block = malloc(8);
    kept[1] = block;
    if (size == 1)
        kept[2] = calloc(most, 8);
    else if (size == 2)
        kept[2] = realloc(block, most);
    else if (size == 3)
        kept[2] = reallocarray(block, most, 8);
    else
        kept[2] = memalign(ALIGNMENT, most);
    say(kept[2] == NULL ? "nothing\n" : "a block\n");
}

static pthread_barrier_t barrier;

static void *grow_some(void *place)
{
    unsigned long first = (unsigned long)(uintptr_t)place * (blocks / THREADS);
    pthread_barrier_wait(&barrier);
    for (unsigned long i = first; i < first + blocks / THREADS; i++)
        kept[i] = malloc(size);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void grow_in_threads(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, grow_some, (void *)i) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Half of the blocks are the parent's; the child has the others, and the parent then as many. */
static void grow_in_child(void)
{
    int status = 0;
    blocks /= 2;
    grow();
    pid_t child = fork();
    if (child < 0)
        abort();
    grow();
    if (child == 0) {
        say("child\n");
        _exit(0);
    }
    waitpid(child, &status, 0);
    say(WIFSIGNALED(status) ? "child ended by a signal\n" : "child at its end\n");
}

static void handle(int signal)
{
    (void)signal;
    grow();
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    blocks = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
    size = count > 3 ? strtoul(arguments[3], NULL, 10) : 0;
    if (blocks > MOST)
        return 1;
    if (strcmp(what, "grow") == 0)
        grow();
    else if (strcmp(what, "anyhow") == 0)
        grow_anyhow();
    else if (strcmp(what, "ask") == 0)
        ask(size);
    else if (strcmp(what, "fail") == 0)
        fail();
    else if (strcmp(what, "threads") == 0)
        grow_in_threads();
    else if (strcmp(what, "fork") == 0)
        grow_in_child();
    else if (strcmp(what, "handler") == 0 && signal(SIGUSR1, handle) != SIG_ERR)
        raise(SIGUSR1);
    say("end\n");
    return 0;
}
