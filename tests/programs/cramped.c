/* Allocates in little address space, releases half, and says how many blocks it has. The
 * arguments: MiB that it may map, on top of what it has mapped before it allocates; how
 * many blocks it wants, at most; MiB that its allocator has in reserve before that. Every
 * failure must say ENOMEM, and what could be had must be writable. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST 2000000
#define BYTES 48

static char *blocks[MOST];

static size_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1)
        _exit(1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Leaves the C library's heap as many bytes larger. */
static void reserve(size_t bytes)
{
    if (mallopt(M_MMAP_THRESHOLD, 1 << 30) != 1 || mallopt(M_TRIM_THRESHOLD, 1 << 30) != 1)
        _exit(5);
    free(malloc(bytes));
}

int main(int argc, char **argv)
{
    size_t room = (argc > 1 ? strtoul(argv[1], NULL, 10) : 16) << 20;
    size_t most = argc > 2 ? strtoul(argv[2], NULL, 10) : MOST;
    size_t count = 0;

    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 3)
        reserve(strtoul(argv[3], NULL, 10) << 20);
    struct rlimit limit = {address_space() + room, address_space() + room};
    if (most > MOST || setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(2);
    while (count < most) {
        errno = 0;
        blocks[count] = malloc(BYTES); /* tag: block */
        if (blocks[count] == NULL) {
            if (errno != ENOMEM)
                _exit(3);
            break;
        }
        memset(blocks[count], (int)count, BYTES);
        count++;
    }
    size_t got = count;
    for (size_t i = 0; i < got; i += 2) {
        for (size_t at = 0; at < BYTES; at++)
            if (blocks[i][at] != (char)i)
                _exit(4);
        free(blocks[i]);
        count--;
    }
    printf("%zu then %zu\nready\n", got, count);
    pause();
    _exit(0);
}
