/* Frees a block twice, which the C library's allocator ends it for. */
#include <stdlib.h>

int main(void)
{
    void *volatile block = malloc(48); /* tag: allocated */
    free(block);                       /* tag: freed */
    free(block);                       /* tag: freed again */
    return 0;
}
