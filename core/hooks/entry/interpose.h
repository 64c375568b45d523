/* What all allocation functions of the hooks share. */
#ifndef ASNAP_HOOKS_INTERPOSE_H
#define ASNAP_HOOKS_INTERPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "next.h"
#include "thread.h"
#include "trace.h"

#define ASNAP_EXPORT __attribute__((visibility("default"), noinline))

/* Goes on to another function with the same parameters, by a jump: it finds the caller, and its
 * stack, as this function has found them. gcc does it where it optimises, by the flag that the
 * Makefile has for such a file. */
#if defined(__clang__)
#define ASNAP_GO_ON __attribute__((musttail)) return
#else
#define ASNAP_GO_ON return
#endif

/* No operator new of a C++ library is longer than this, in bytes. */
enum { ASNAP_OPERATOR_BYTES = 256 };

/* Whether a call comes from the operator new that this thread has just been sent on
 * to: then the block is that operator's to hand out, and recorded there. */
static inline bool asnap_within_operator(uint64_t pc)
{
    return pc - (uint64_t)(uintptr_t)asnap_thread.wrapping < ASNAP_OPERATOR_BYTES;
}

/* Has what a hook calls leave nothing near the stack pointer of the hook's caller. Up to 128 bytes
 * below it may be in use on x86-64 (the red zone), and are searched for pointers: an address that
 * the hooks had left there would hold the block as well. */
enum { ASNAP_UNTOUCHED_STACK = 128 };
#define ASNAP_LEAVE_STACK_UNTOUCHED()                                                              \
    char untouched[ASNAP_UNTOUCHED_STACK];                                                         \
    __asm__ volatile("" : : "r"(untouched))

/* Zeroes the registers that any call may change, before a traced block is handed out: an address
 * that the hooks had left in one would hold the block where the program has lost it. */
static inline void asnap_forget_registers(void)
{
#if defined(__x86_64__)
    __asm__ volatile("xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\txorl %%esi, %%esi\n\t"
                     "xorl %%edi, %%edi\n\txorl %%r8d, %%r8d\n\txorl %%r9d, %%r9d\n\t"
                     "xorl %%r10d, %%r10d\n\txorl %%r11d, %%r11d"
                     :
                     :
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("mov x1, xzr\n\tmov x2, xzr\n\tmov x3, xzr\n\tmov x4, xzr\n\t"
                     "mov x5, xzr\n\tmov x6, xzr\n\tmov x7, xzr\n\tmov x8, xzr\n\t"
                     "mov x9, xzr\n\tmov x10, xzr\n\tmov x11, xzr\n\tmov x12, xzr\n\t"
                     "mov x13, xzr\n\tmov x14, xzr\n\tmov x15, xzr\n\tmov x16, xzr\n\t"
                     "mov x17, xzr"
                     :
                     :
                     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                       "x13", "x14", "x15", "x16", "x17");
#endif
}

#endif
