/* Loaded by unloaded.c, and unloaded again before its stop_here. Its code is as long as
 * that of libsecond.c. */
#include <stdlib.h>

void *first_make(size_t size);

void *first_make(size_t size)
{
    return malloc(size); /* heap: first size=2*111 count=2 */
}
