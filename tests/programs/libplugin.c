/* Loaded by dlopen.c, and mapped at its stop_here. */
#include <stdlib.h>

void *plugin_make(size_t size);

static void *inner(size_t size)
{
    return malloc(size); /* heap: plugin size=3*111 count=3 */
}

void *plugin_make(size_t size)
{
    return inner(size);
}
