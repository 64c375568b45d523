/* What glibc and musl have by different names, or only one of them: one build of the hooks serves
 * programs of both, which may start each other. What a C library lacks has no address. */
#ifndef ASNAP_HOOKS_LIBC_H
#define ASNAP_HOOKS_LIBC_H

#include <link.h>
#include <pthread.h>

/* The dynamic linker's list of files: in glibc the structure itself, in musl what leads to it. */
#pragma weak _r_debug
extern struct r_debug _r_debug;
extern __attribute__((weak)) struct r_debug *_dl_debug_addr;

/* pthread_atfork: glibc has this in its place. */
extern __attribute__((weak)) int __register_atfork(void (*prepare)(void), void (*parent)(void),
                                                   void (*child)(void), void *library);
#pragma weak pthread_atfork

#endif
