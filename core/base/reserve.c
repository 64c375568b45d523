#include "reserve.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Less comes from memory that malloc itself keeps. */
#define SMALL ((size_t)1 << 20)
/* The blocks of some four million traces. */
#define KEPT_MOST ((size_t)128 << 20)

static _Atomic(void *) kept;

void *asnap_reserve_take(size_t count, size_t element_size)
{
    size_t size;
    if (__builtin_mul_overflow(count, element_size, &size))
        return NULL;
    if (size >= SMALL) {
        void *array = atomic_exchange(&kept, NULL);
        if (array != NULL && malloc_usable_size(array) >= size)
            return array;
        free(array);
    }
    return malloc(size);
}

void asnap_reserve_give(void *array)
{
    size_t size = array == NULL ? 0 : malloc_usable_size(array);
    if (size >= SMALL && size <= KEPT_MOST)
        array = atomic_exchange(&kept, array);
    free(array);
}

__attribute__((destructor)) static void free_kept(void)
{
    free(atomic_exchange(&kept, NULL));
}
