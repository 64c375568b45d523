/* Holds a block by a pointer in the middle of a large mapping of which it uses one page, one by the
 * result of a thread that has ended and was not joined, one by a global variable, and one by
 * nothing. */
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *volatile held[4];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *work(void *argument)
{
    (void)argument;
    return malloc(502); /* tag: result */
}

/* So that no register and no stack holds what was made here. */
__attribute__((noinline)) static void fill(void **place)
{
    volatile char none[4096];
    *place = malloc(501);  /* tag: reserved */
    held[0] = malloc(503); /* tag: lost */
    held[0] = NULL;
    held[1] = malloc(504); /* tag: global */
    for (size_t i = 0; i < sizeof(none); i++)
        none[i] = 0;
}

__attribute__((noinline)) static void clear(void)
{
    volatile char none[8192];
    for (size_t i = 0; i < sizeof(none); i++)
        none[i] = 0;
}

/* How many there are, as the kernel counts them: one that has ended and is not joined is none. */
static int threads(void)
{
    int count = -2; /* . and .. */
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks) != NULL)
        count++;
    closedir(tasks);
    return count;
}

int main(void)
{
    size_t size = (size_t)16 << 30;
    char *reserved = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return 1;
    fill((void **)(reserved + size / 2));
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0)
        return 2;
    while (threads() > 1)
        ;
    clear();
    stop_here();
    return 0;
}
