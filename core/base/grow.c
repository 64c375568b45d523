#include "grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

void *asnap_grow(void *array, size_t *capacity, size_t needed, size_t element_size)
{
    if (array != NULL && needed <= *capacity)
        return array;
    size_t wanted = *capacity + *capacity / 2 + 16;
    if (wanted < needed)
        wanted = needed;
    void *grown = reallocarray(array, wanted, element_size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

void *asnap_in_huge_pages(void *bytes, size_t size)
{
    if (bytes != NULL && size >= 2 * HUGE_PAGE) {
        size_t before = -(uintptr_t)bytes % HUGE_PAGE;
        /* Only advice: where it is not taken, the pages are small. */
        madvise((char *)bytes + before, (size - before) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
    return bytes;
}

void *asnap_large_array(size_t count, size_t element_size)
{
    return asnap_in_huge_pages(calloc(count + 1, element_size), (count + 1) * element_size);
}
