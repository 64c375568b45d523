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

#endif
