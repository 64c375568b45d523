/* What every allocation function promises of its result and of errno, at the edges. Prints
 * what it finds, so that with and without the hooks the same can be asked for. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTINEL 12345

static volatile size_t huge = PTRDIFF_MAX;
static volatile size_t most = SIZE_MAX;
static volatile size_t zero;
static volatile size_t odd = 24;
static volatile size_t tiny_alignment = 4;

static void show(const char *what, int failed)
{
    int code = errno;
    printf("%s: %s, errno %s\n", what, failed ? "failed" : "done",
           code == SENTINEL ? "kept" : strerror(code));
}

/* CALL with errno at the sentinel; its result stays in `block`. */
#define TRY(CALL)                                                                                  \
    do {                                                                                           \
        errno = SENTINEL;                                                                          \
        block = (CALL);                                                                            \
        show(#CALL, block == NULL);                                                                \
        errno = SENTINEL;                                                                          \
    } while (0)

/* The same of a call that returns nothing. */
#define DO(CALL)                                                                                   \
    do {                                                                                           \
        errno = SENTINEL;                                                                          \
        CALL;                                                                                      \
        show(#CALL, 0);                                                                            \
    } while (0)

static void plain(void)
{
    void *block;
    TRY(malloc(100));
    DO(free(block));
    TRY(malloc(zero));
    DO(free(block));
    TRY(malloc(huge));
    TRY(malloc(most));
    TRY(calloc(10, 10));
    DO(free(block));
    TRY(calloc(zero, 10));
    DO(free(block));
    TRY(calloc(huge, 4));
    TRY(calloc(most, most));
    TRY(malloc(8UL << 20));
    DO(free(block));
    DO(free(NULL));
}

static void resizing(void)
{
    void *block;
    /* volatile, since what a failed realloc was given is looked at. */
    char *volatile old = malloc(40);
    memcpy(old, "contents", 9);
    TRY(realloc(old, huge));
    printf("still there: %s\n", old);
    TRY(reallocarray(old, most, 2));
    printf("still there: %s\n", old);
    TRY(realloc(old, 4000));
    old = block;
    printf("moved along: %s\n", old);
    TRY(realloc(old, 9));
    old = block;
    printf("moved along: %s\n", old);
    TRY(reallocarray(old, 30, 30));
    old = block;
    printf("moved along: %s\n", old);
    TRY(realloc(old, zero));
    TRY(realloc(NULL, zero));
    DO(free(block));
    TRY(realloc(NULL, 10));
    DO(free(block));
    TRY(reallocarray(NULL, zero, 10));
    DO(free(block));
    TRY(realloc(NULL, huge));
}

static void posix(const char *what, size_t alignment, size_t size)
{
    void *block = &block;
    const void *untouched = block;
    errno = SENTINEL;
    int result = posix_memalign(&block, alignment, size);
    printf("posix_memalign %s: %s, block %s, errno %s\n", what,
           result == 0 ? "done" : strerror(result), block == untouched ? "untouched" : "set",
           errno == SENTINEL ? "kept" : strerror(errno));
    if (result == 0) {
        printf("aligned: %d\n", (uintptr_t)block % alignment == 0);
        free(block);
    }
}

static void aligned(void)
{
    void *block;
    posix("of 64", 64, 100);
    posix("of 4096", 4096, 1);
    posix("of 24", odd, 100);
    posix("of 4", tiny_alignment, 100);
    posix("of 0", zero, 100);
    posix("without room", 64, huge);
    posix("of no bytes", 64, zero);
    TRY(aligned_alloc(64, 128));
    printf("aligned: %d, usable %d\n", (uintptr_t)block % 64 == 0,
           malloc_usable_size(block) >= 128);
    DO(free(block));
    TRY(aligned_alloc(64, huge));
    TRY(memalign(256, 10));
    printf("aligned: %d\n", (uintptr_t)block % 256 == 0);
    DO(free(block));
    TRY(memalign(256, huge));
    TRY(valloc(10));
    DO(free(block));
    TRY(valloc(huge));
    TRY(pvalloc(10));
    printf("usable: %d\n", malloc_usable_size(block) >= 4096);
    DO(free(block));
    TRY(pvalloc(huge));
}

static void usable(void)
{
    errno = SENTINEL;
    printf("usable of none: %zu\n", malloc_usable_size(NULL));
    for (size_t size = 1; size < 100000; size *= 3) {
        void *block = malloc(size);
        size_t room = malloc_usable_size(block);
        memset(block, 1, room);
        printf("usable of %zu: %s\n", size, room >= size ? "enough" : "too little");
        free(block);
    }
    printf("errno %s\n", errno == SENTINEL ? "kept" : "changed");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    plain();
    resizing();
    aligned();
    usable();
    return 0;
}
