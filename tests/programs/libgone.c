/* Loaded by dlopen.c and unloaded again before its stop_here: its blocks live on. */
#include <stdlib.h>

void *gone_make(size_t size);

void *gone_make(size_t size)
{
    return calloc(1, size); /* heap: gone size=2*222 count=2 */
}
