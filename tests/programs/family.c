/* A program that defines a part of malloc's family: as OWN_... say, by functions of glibc's of
 * other names, or with ON by those that come next. Each function makes three blocks, and one of
 * these is freed. Three blocks are resized, and so moved, and one of those is freed. What is freed
 * is not given out again: no two functions make blocks of about the same size. */
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

#ifdef ON
#define NEXT(NAME, OTHER) ((__typeof__(&(NAME)))dlsym(RTLD_NEXT, #NAME))
#else
#define NEXT(NAME, OTHER) OTHER
#endif

#ifdef OWN_MALLOC
void *malloc(size_t size)
{
    return NEXT(malloc, __libc_malloc)(size);
}
#endif

#ifdef OWN_CALLOC
void *calloc(size_t count, size_t size)
{
    return NEXT(calloc, __libc_calloc)(count, size);
}
#endif

#ifdef OWN_REALLOC
void *realloc(void *block, size_t size)
{
    return NEXT(realloc, __libc_realloc)(block, size);
}
#endif

#ifdef OWN_FREE
void free(void *block)
{
    NEXT(free, __libc_free)(block);
}
#endif

#ifdef OWN_POSIX_MEMALIGN
static __attribute__((unused)) int by_memalign(void **block, size_t alignment, size_t size)
{
    *block = __libc_memalign(alignment, size);
    return 0;
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    return NEXT(posix_memalign, by_memalign)(block, alignment, size);
}
#endif

#ifdef OWN_ALIGNED_ALLOC
void *aligned_alloc(size_t alignment, size_t size)
{
    return NEXT(aligned_alloc, __libc_memalign)(alignment, size);
}
#endif

#ifdef OWN_MEMALIGN
void *memalign(size_t alignment, size_t size)
{
    return NEXT(memalign, __libc_memalign)(alignment, size);
}
#endif

enum { BLOCKS = 3 };

static void *kept[8][BLOCKS];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        kept[0][i] = malloc(101);
        kept[1][i] = calloc(11, 13);
        kept[2][i] = realloc(NULL, 201);
        if (posix_memalign(&kept[3][i], 64, 301) != 0)
            return 1;
        kept[4][i] = aligned_alloc(64, 448);
        kept[5][i] = memalign(64, 551);
        kept[6][i] = malloc(651);
        kept[7][i] = malloc(701);
    }
    for (int i = 0; i < BLOCKS; i++)
        kept[6][i] = realloc(kept[6][i], 5001);
    for (int function = 0; function < 7; function++) {
        free(kept[function][0]);
        kept[function][0] = NULL;
    }
    stop_here();
    _exit(0);
}
