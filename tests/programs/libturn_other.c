/* Loaded and unloaded by turns.c; of the same layout as libturn_one.c. */
#include <stdlib.h>

void *turn_make(void);

static void *first_of_other(void)
{
    free(malloc(23));
    return malloc(223); /* tag: kept */
}

void *turn_make(void)
{
    return first_of_other();
}
