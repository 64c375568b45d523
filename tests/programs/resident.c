/* Memory that is resident and not traced, and memory that is traced and not resident. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static void *kept[2];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    kept[0] = malloc(32 * MIB);
    memset(kept[0], 1, 32 * MIB);
    void *pool = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED)
        return 1;
    memset(pool, 1, 64 * MIB);
    stop_here();
    kept[1] = malloc(200 * MIB);
    stop_here();
    free(kept[1]);
    free(kept[0]);
    return 0;
}
