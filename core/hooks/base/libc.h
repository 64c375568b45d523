/* What glibc and musl have by different names, or only one of them: one build of the hooks serves
 * programs of both, which may start each other. What a C library lacks has no address. */
#ifndef ASNAP_HOOKS_LIBC_H
#define ASNAP_HOOKS_LIBC_H

#include <link.h>
#include <pthread.h>
#include <stddef.h>

/* The dynamic linker's list of files: in glibc the structure itself, in musl what leads to it. */
#pragma weak _r_debug
extern struct r_debug _r_debug;
extern __attribute__((weak)) struct r_debug *_dl_debug_addr;

/* pthread_atfork: glibc's libc has the first in its place, to be told of the library that the
 * handlers go with. */
extern __attribute__((weak)) int __register_atfork(void (*prepare)(void), void (*parent)(void),
                                                   void (*child)(void), void *library);
#pragma weak pthread_atfork
extern void *__dso_handle __attribute__((visibility("hidden")));

/* Has a function called in each child of a fork. */
static inline void asnap_libc_in_children(void (*function)(void))
{
    if (__register_atfork != NULL)
        __register_atfork(NULL, NULL, function, __dso_handle);
    else if (pthread_atfork != NULL)
        pthread_atfork(NULL, NULL, function);
}

#endif
