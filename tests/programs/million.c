/* A million live blocks of many sizes, from 4 lines on 256 paths each. The first
 * argument sets how many blocks (a multiple of 4); the marks hold for the default.
 * heap-total: exact */
#include <stdlib.h>
#include <unistd.h>

/* Blocks are chained through their first bytes, so that no other memory is used. */
struct block {
    struct block *next;
};

static struct block *blocks;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void keep(void *memory)
{
    struct block *block = memory;
    if (block == NULL)
        _exit(1);
    block->next = blocks;
    blocks = block;
}

__attribute__((noinline)) static void make(size_t index)
{
    switch (index % 4) {
    case 0:
        keep(malloc(16)); /* heap: small size=250000*16 count=250000 */
        break;
    case 1:
        keep(malloc(48)); /* heap: middle size=250000*48 count=250000 */
        break;
    case 2:
        keep(calloc(4, 25)); /* heap: zeroed size=250000*100 count=250000 */
        break;
    default: /* 24, 32, ... 528: 3906 full rounds of 64 sizes, and 16 more */
        keep(malloc(24 + index / 4 % 64 * 8)); /* heap: mixed size=68996928 count=250000 */
        break;
    }
}

static void right(size_t index, unsigned path, int levels);

/* Walks `levels` calls, left or right as the bits of `path` say. */
__attribute__((noinline)) static void left(size_t index, unsigned path, int levels)
{
    if (levels == 0)
        make(index);
    else if (path & 1)
        right(index, path >> 1, levels - 1);
    else
        left(index, path >> 1, levels - 1);
}

__attribute__((noinline)) static void right(size_t index, unsigned path, int levels)
{
    if (levels == 0)
        make(index);
    else if (path & 1)
        right(index, path >> 1, levels - 1);
    else
        left(index, path >> 1, levels - 1);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    for (size_t i = 0; i < count; i++)
        left(i, (unsigned)(i / 4 % 256), 8);
    stop_here();
    _exit(0);
}
