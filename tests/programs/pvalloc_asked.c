/* Asks the linker for pvalloc, which musl has not: what it finds rounds up to whole pages. */
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    void *(*pvalloc_found)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "pvalloc");
    if (pvalloc_found == NULL)
        return 1;
    char *block = pvalloc_found(100001);
    if (block == NULL || (uintptr_t)block % 4096 != 0 || malloc_usable_size(block) < 102400)
        return 2;
    memset(block, 1, 102400);
    free(block);
    return pvalloc_found(SIZE_MAX) == NULL ? 0 : 3;
}
