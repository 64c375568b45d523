/* Loaded by unloaded.c when libfirst.c is not there any more, and mapped at its
 * stop_here. */
#include <stdlib.h>

void *second_make(size_t size);

void *second_make(size_t size)
{
    void *made = malloc(size); /* heap: second size=222 count=1 */
    return made;
}
