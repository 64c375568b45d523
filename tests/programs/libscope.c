/* For scopes.c. */
#include <stdlib.h>

void *make(size_t size)
{
    return malloc(size);
}

void take_back(void *block)
{
    free(block);
}
