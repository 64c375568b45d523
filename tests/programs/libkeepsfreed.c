/* Below the hooks: gives no freed memory out again, as valgrind's memcheck does not for long. So a
 * pointer that a program has kept to a freed block leads nowhere. */
#include <malloc.h>
#include <stddef.h>
#include <string.h>

extern void *__libc_malloc(size_t size);

void free(void *pointer)
{
    (void)pointer;
}

void *realloc(void *pointer, size_t size)
{
    void *made = __libc_malloc(size == 0 ? 1 : size);
    size_t old = pointer == NULL ? 0 : malloc_usable_size(pointer);
    if (made != NULL && old != 0)
        memcpy(made, pointer, old < size ? old : size);
    return made;
}
