/* A program that has made its own ELF header unreadable, as code against dumps of memory does,
 * before the first stack was walked through it.
 * heap-total: exact */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern const char __ehdr_start[];

static void *kept[3];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) static void *hold(size_t size)
{
    return malloc(size); /* heap: held size=10+20+30 count=3 */
}

int main(void)
{
    if (mprotect((void *)__ehdr_start, 4096, PROT_NONE) != 0)
        return 1;
    for (size_t i = 0; i < 3; i++)
        kept[i] = hold(10 * (i + 1));
    stop_here();
    _exit(kept[0] == NULL);
}
