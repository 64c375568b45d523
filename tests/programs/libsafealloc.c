/* An allocator that signal handlers may call, for signals.c: the C library's may
 * not be entered again from a handler. Each block is one cell, claimed by one
 * atomic exchange; larger requests fail. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BYTES 4096
#define CELLS 16384

static _Alignas(CELL_BYTES) char cells[CELLS][CELL_BYTES];
static atomic_bool used[CELLS];
static atomic_size_t hint;

void *malloc(size_t size)
{
    if (size <= CELL_BYTES) {
        size_t start = atomic_load(&hint);
        for (size_t i = 0; i < CELLS; i++) {
            size_t cell = (start + i) % CELLS;
            if (!atomic_exchange(&used[cell], 1)) {
                atomic_store(&hint, cell + 1);
                return cells[cell];
            }
        }
    }
    errno = ENOMEM;
    return NULL;
}

void free(void *block)
{
    if (block == NULL)
        return;
    size_t cell = (size_t)((char *)block - cells[0]) / CELL_BYTES;
    if (cell >= CELLS || !atomic_exchange(&used[cell], 0))
        abort();
    atomic_store(&hint, cell);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(bytes);
    return block == NULL ? NULL : memset(block, 0, bytes);
}

void *realloc(void *block, size_t size)
{
    if (block == NULL)
        return malloc(size);
    if (size <= CELL_BYTES)
        return block;
    errno = ENOMEM;
    return NULL;
}
