/* Gets itself memory for many blocks, gives it back to malloc, and lets its address space
 * grow no more: malloc still has all that is asked for, but the hooks get nothing. `live` is
 * how many blocks there are at without_room(). Ends with 1 where malloc has failed. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FIRST = 20000, BLOCKS = 400000 };

static void *first[FIRST];
volatile size_t live;

__attribute__((noinline)) void without_room(void)
{
    __asm__ volatile("");
}

static void *get(size_t size)
{
    void *block = malloc(size);
    if (block == NULL)
        _exit(1);
    live++;
    return block;
}

/* The first number of /proc/self/statm is the address space in pages. */
static int limit_address_space(void)
{
    char text[64] = "";
    int file = open("/proc/self/statm", O_RDONLY);
    if (file < 0 || read(file, text, sizeof(text) - 1) <= 0)
        return 0;
    close(file);
    rlim_t bytes = strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
    struct rlimit limit = {bytes, bytes};
    return setrlimit(RLIMIT_AS, &limit) == 0;
}

int main(void)
{
    for (size_t i = 0; i < FIRST; i++)
        first[i] = get(1000);
    /* The last one keeps the heap's end where it is. */
    for (size_t i = 0; i < FIRST - 1; i++, live--)
        free(first[i]);
    if (!limit_address_space())
        _exit(1);
    for (size_t i = 0; i < BLOCKS; i++)
        get(24);
    without_room();
    _exit(0);
}
