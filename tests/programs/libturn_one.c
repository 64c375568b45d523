/* Loaded and unloaded by turns.c; of the same layout as libturn_other.c. */
#include <stdlib.h>

void *turn_make(void);

static void *first_of_one(void)
{
    free(malloc(11));
    return malloc(211); /* tag: kept */
}

void *turn_make(void)
{
    return first_of_one();
}
