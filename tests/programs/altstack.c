/* How much of an alternate signal stack a handler that allocates needs: the stack is
 * painted, and what has lost its paint is printed, in bytes. With the argument "small"
 * the stack is the least there may be for a handler of this kind, with nothing mapped
 * below it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE (1UL << 20)
#define PAINT 0xa5
/* For the handler's own frames, and those of the allocator. */
#define OWN_NEED 4096UL

static void *kept[16];
static volatile size_t count;

static void on_signal(int number)
{
    (void)number;
    void *block = malloc(100);
    block = realloc(block, 5000);
    kept[count] = calloc(1, 10);
    count = count + 1;
    free(block);
}

int main(int argc, char **argv)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t least = (size_t)sysconf(_SC_MINSIGSTKSZ) + OWN_NEED;
    size_t bytes = argc > 1 && strcmp(argv[1], "small") == 0 ? least : LARGE;
    size_t mapped = (bytes + page - 1) / page * page;
    unsigned char *below =
        mmap(NULL, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (below == MAP_FAILED || mprotect(below, page, PROT_NONE) != 0)
        return 1;
    unsigned char *lowest = below + page;
    memset(lowest, PAINT, mapped);
    stack_t stack = {.ss_sp = lowest, .ss_size = mapped};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
        return 2;
    for (size_t i = 0; i < 8; i++) {
        kept[8 + i] = malloc(30);
        raise(SIGUSR1);
    }
    size_t clean = 0;
    while (clean < mapped && lowest[clean] == PAINT)
        clean++;
    printf("%zu of %zu\n", mapped - clean, mapped);
    return count == 8 ? 0 : 3;
}
