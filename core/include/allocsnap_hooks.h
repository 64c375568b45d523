/* What a traced program may tell the hooks: blocks of its own pools.
 *
 * A program that takes memory in bulk and hands it out itself (an arena, a slab, memory
 * of a device) gives those blocks a domain of their own, as C extensions of Python do
 * with PyTraceMalloc_Track. Domain 0 is the C heap, which the hooks trace themselves.
 *
 * Nothing need be linked for this: where the hooks are not loaded, the functions do
 * nothing and return ALLOCSNAP_NOT_TRACING. They are safe to call from any thread, and
 * from signal handlers.
 */
#ifndef ALLOCSNAP_HOOKS_H
#define ALLOCSNAP_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ALLOCSNAP_NO_MEMORY (-1)
#define ALLOCSNAP_NOT_TRACING (-2)

/* Without noplt, gcc's code for a program that is not position-independent would settle
 * for "absent" when it is linked. clang has no such attribute: there such a program needs
 * -fpie or -fno-plt, or must link the hooks. */
#if defined(__clang__)
#define ALLOCSNAP_WEAK __attribute__((weak))
#else
#define ALLOCSNAP_WEAK __attribute__((weak, noplt))
#endif

/* The definitions are in liballocsnap-hooks.so; use the macros below instead, which add no
 * frame of their own to the stack. */
extern int allocsnap_hooks_track(unsigned int domain, uintptr_t address,
                                 size_t size) ALLOCSNAP_WEAK;
extern int allocsnap_hooks_untrack(unsigned int domain, uintptr_t address) ALLOCSNAP_WEAK;
extern int allocsnap_hooks_name_domain(unsigned int domain, const char *name) ALLOCSNAP_WEAK;

/* Records a block of `size` bytes, with the stack of the caller; a record of this
 * domain and address is replaced. Returns 0; ALLOCSNAP_NO_MEMORY where the block could
 * not be recorded (no memory for it, more than 255 domains, an address above 2^56 or a
 * size above 2^47, or 2^57 bytes and more together in one of 64 parts of the table), which is
 * counted and shown; ALLOCSNAP_NOT_TRACING. An address is any number that tells the
 * domain's blocks apart; 0 is none. */
#define allocsnap_track(domain, address, size)                                                     \
    (allocsnap_hooks_track != NULL ? allocsnap_hooks_track((domain), (address), (size))            \
                                   : ALLOCSNAP_NOT_TRACING)

/* Drops the record of this domain and address, if there is one. Returns 0 or
 * ALLOCSNAP_NOT_TRACING. */
#define allocsnap_untrack(domain, address)                                                         \
    (allocsnap_hooks_untrack != NULL ? allocsnap_hooks_untrack((domain), (address))                \
                                     : ALLOCSNAP_NOT_TRACING)

/* Gives a domain a name for people, shown beside its number: up to 31 bytes, the rest is
 * cut. The first name of a domain stays; NULL and "" are none. Returns as
 * allocsnap_track does; names can be given while tracing is off. */
#define allocsnap_name_domain(domain, name)                                                        \
    (allocsnap_hooks_name_domain != NULL ? allocsnap_hooks_name_domain((domain), (name))           \
                                         : ALLOCSNAP_NOT_TRACING)

#ifdef __cplusplus
}
#endif

#endif
