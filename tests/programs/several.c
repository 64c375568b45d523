/* Blocks that have several pointers to one other. */
#include <stdlib.h>
#include <string.h>

static void **holder;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("" ::: "memory");
}

int main(void)
{
    holder = calloc(20, sizeof(*holder)); /* heap: holder size=160 count=1 */
    char *held = malloc(100000);          /* heap: held size=100000 count=1 */
    char *beside = malloc(50);            /* heap: beside size=50 count=1 */
    memset(held, 0, 100000);
    memset(beside, 0, 50);
    /* To its inside, to its start, far into it, and to its last byte. */
    holder[2] = held + 16;
    holder[5] = held;
    holder[9] = held + 70000;
    holder[19] = held + 99999;
    holder[10] = beside;
    holder[11] = beside;
    stop_here();
    return 0;
}
