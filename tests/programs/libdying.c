/* An allocator for dying.c: it gives out memory and takes none back, and ends the program
 * where it is asked for 6666 bytes (by abort), for 7777 (by a bad store), or to release a
 * block of that size again. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BYTES (8UL << 20)

static _Alignas(16) char memory[BYTES];
static size_t used;

static void crash(void)
{
    volatile char *nowhere = (char *)16;
    *nowhere = 1;
}

void *malloc(size_t size)
{
    if (size == 6666)
        abort();
    if (size == 7777)
        crash();
    size_t room = ((size + 15) & ~(size_t)15) + 16;
    size_t start = __atomic_fetch_add(&used, room, __ATOMIC_RELAXED);
    if (room < size || start > BYTES || room > BYTES - start) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(memory + start, &size, sizeof(size));
    return memory + start + 16;
}

static size_t size_of(const void *block)
{
    size_t size;
    memcpy(&size, (const char *)block - 16, sizeof(size));
    return size;
}

void free(void *block)
{
    if (block != NULL && size_of(block) == 8888)
        crash();
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : malloc(bytes);
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    if (moved != NULL && block != NULL)
        memcpy(moved, block, size_of(block) < size ? size_of(block) : size);
    return moved;
}
