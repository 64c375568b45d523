/* Tracing one call: between the allocation functions and the table. */
#ifndef ASNAP_HOOKS_TRACE_H
#define ASNAP_HOOKS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records.h"
#include "thread.h"
#include "walker.h"

/* Whether a hook that this thread was in will never be left: a signal handler has jumped
 * out of it. Then the thread is as if it were in none. */
bool asnap_trace_was_abandoned(void);

/* Does what signal handlers have left meanwhile. */
void asnap_trace_run_deferred(void);

/* About where the stack pointer is, without a frame pointer for it. */
static inline __attribute__((always_inline)) uint64_t asnap_trace_stack_place(void)
{
    char here;
    uintptr_t place = (uintptr_t)&here;
    __asm__("" : "+r"(place));
    return place;
}

/* A hook takes less of the stack than this, in bytes, while it is at work on the table; libgcc
 * may take more, where it is asked. It is touched before anything is held: a stack that
 * overflows does so there, and a handler that jumps out leaves nothing half done. */
enum { ASNAP_TRACE_STACK_BYTES = 2048 };

/* Begins work on the table. False: this thread is at it already, and what runs now
 * is a signal handler, or libc on the hooks' own behalf. */
static inline bool asnap_trace_enter(void)
{
    struct asnap_thread *thread = &asnap_thread;
    if (__builtin_expect(thread->activity != ASNAP_IDLE, 0) && !asnap_trace_was_abandoned())
        return false;
    uint64_t place = asnap_trace_stack_place();
    (void)*(const volatile char *)(uintptr_t)(place - ASNAP_TRACE_STACK_BYTES);
    thread->entered_at = place;
    thread->activity = ASNAP_RECORDING;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

/* Ends work on the table, after doing what signal handlers left meanwhile. */
static inline void asnap_trace_leave(void)
{
    struct asnap_thread *thread = &asnap_thread;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->activity = ASNAP_IDLE;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(thread->deferred != NULL, 0))
        asnap_trace_run_deferred();
}

/* Records a new block of `size` bytes; `caller` has called the allocation function. Does
 * nothing for NULL. */
void asnap_trace_allocated(void *block, size_t size, const struct asnap_caller *caller);

/* Records a block under a key of the table (not 0); one with the same key is replaced.
 * False: it could not be recorded, and was counted as dropped or refused. */
bool asnap_trace_track(uint64_t key, size_t size, const struct asnap_caller *caller);

/* Counts a block that no record can be made of. */
void asnap_trace_refuse(void);

/* Forgets the record with this key, if there is one. */
void asnap_trace_untrack(uint64_t key);

/* Forgets a block that `release` is about to take back. False: `release` must not be
 * called now, the hooks see to it later. */
bool asnap_trace_releasing(void *block, void (*release)(void *));

/* How asnap_trace_take ended. */
enum asnap_taken {
    ASNAP_TAKEN,     /* `removed` says what was known */
    ASNAP_UNKNOWN,   /* the block was not traced */
    ASNAP_TAKE_LATE, /* the table cannot be touched now */
};

/* Forgets a block that is about to be resized. */
enum asnap_taken asnap_trace_take(void *block, struct asnap_removed *removed);

/* Records a block again after asnap_trace_take, as it was. */
void asnap_trace_put_back(void *block, const struct asnap_removed *removed);

#endif
