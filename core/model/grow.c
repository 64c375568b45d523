#include "grow.h"

#include <stdlib.h>

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
