/* The main arena's memory in pieces: the program moves the break itself, and then something lies in
 * its way, so that the arena goes on in a mapping. Says "ready" and waits. */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECES = 400 };

static void *kept[4 * PIECES];

static void fill(int first)
{
    for (int i = first; i < first + PIECES; i++) {
        kept[i] = malloc(1000 + (size_t)i);
        if (i % 3 == 0)
            free(kept[i - 1]);
    }
}

int main(void)
{
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    fill(1);
    char *own = sbrk(5000);
    for (int i = 0; i < 5000; i++)
        own[i] = 'A';
    fill(PIECES);
    /* As far as the break may go with the next page mapped. */
    uintptr_t next = ((uintptr_t)sbrk(0) + 4095) & ~(uintptr_t)4095;
    if (mmap((void *)next, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
             0) != (void *)next)
        return 1;
    fill(2 * PIECES);
    kept[0] = malloc(3 << 20);
    fill(3 * PIECES);
    if (write(STDOUT_FILENO, "ready\n", 6) == 6)
        pause();
    return 0;
}
