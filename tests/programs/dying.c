/* Ends within its allocator (libdying.c) while it holds blocks, in the way its argument
 * says: abort, store, free or realloc. A core of it holds what is tagged. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[1000];

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < 1000; i++)
        kept[i] = malloc(10 + i); /* tag: held */
    for (size_t i = 0; i < 1000; i += 2) {
        free(kept[i]);
        kept[i] = NULL;
    }
    void *last = malloc(8888); /* tag: last */
    if (strcmp(how, "abort") == 0)
        kept[0] = malloc(6666); /* tag: aborted */
    else if (strcmp(how, "store") == 0)
        kept[0] = calloc(1, 7777); /* tag: crashed */
    else if (strcmp(how, "free") == 0)
        free(last);
    else if (strcmp(how, "realloc") == 0)
        kept[0] = realloc(last, 7777); /* tag: resized */
    _exit(0);
}
