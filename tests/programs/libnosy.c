/* To be preloaded: it has many of libc's functions in its place, each of which allocates before it
 * does its work, as a library does that keeps a list of what the program opens and maps. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *volatile last;

static void note(void)
{
    void *block = realloc(malloc(24), 100);
    last = block;
    free(block);
}

/* What is underneath; NULL until the constructor has run. */
static int (*next_key_create)(pthread_key_t *key, void (*destructor)(void *));
static int (*next_setspecific)(pthread_key_t key, const void *value);
static void *(*next_memcpy)(void *to, const void *from, size_t bytes);
static void *(*next_memset)(void *to, int value, size_t bytes);
static size_t (*next_strlen)(const char *text);

#define FIND(NAME, FUNCTION) *(void **)&next_##NAME = dlsym(RTLD_NEXT, FUNCTION)

__attribute__((constructor)) static void find(void)
{
    FIND(key_create, "pthread_key_create");
    FIND(setspecific, "pthread_setspecific");
    FIND(memcpy, "memcpy");
    FIND(memset, "memset");
    FIND(strlen, "strlen");
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    int mode = va_arg(list, int);
    va_end(list);
    note();
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t read(int file, void *bytes, size_t count)
{
    note();
    return syscall(SYS_read, file, bytes, count);
}

ssize_t write(int file, const void *bytes, size_t count)
{
    note();
    return syscall(SYS_write, file, bytes, count);
}

int close(int file)
{
    note();
    return (int)syscall(SYS_close, file);
}

void *mmap(void *start, size_t bytes, int rights, int flags, int file, off_t offset)
{
    note();
    return (void *)syscall(SYS_mmap, start, bytes, rights, flags, file, offset);
}

int munmap(void *start, size_t bytes)
{
    note();
    return (int)syscall(SYS_munmap, start, bytes);
}

int madvise(void *start, size_t bytes, int advice)
{
    note();
    return (int)syscall(SYS_madvise, start, bytes, advice);
}

ssize_t readlink(const char *path, char *target, size_t bytes)
{
    note();
    return syscall(SYS_readlinkat, AT_FDCWD, path, target, bytes);
}

int sigaltstack(const stack_t *stack, stack_t *old)
{
    note();
    return (int)syscall(SYS_sigaltstack, stack, old);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    note();
    return (int)syscall(SYS_clock_gettime, clock, now);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    if (next_key_create == NULL)
        find();
    note();
    return next_key_create(key, destructor);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    if (next_setspecific == NULL)
        find();
    note();
    return next_setspecific(key, value);
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    if (next_memcpy == NULL) {
        for (size_t i = 0; i < bytes; i++)
            ((volatile char *)to)[i] = ((const char *)from)[i];
        return to;
    }
    note();
    return next_memcpy(to, from, bytes);
}

void *memset(void *to, int value, size_t bytes)
{
    if (next_memset == NULL) {
        for (size_t i = 0; i < bytes; i++)
            ((volatile char *)to)[i] = (char)value;
        return to;
    }
    note();
    return next_memset(to, value, bytes);
}

size_t strlen(const char *text)
{
    if (next_strlen == NULL) {
        size_t length = 0;
        while (((const volatile char *)text)[length] != '\0')
            length++;
        return length;
    }
    note();
    return next_strlen(text);
}
