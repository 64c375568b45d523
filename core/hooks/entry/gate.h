/* The gate between the program and the table: who works on the table, what handlers leave to them
 * meanwhile, and the recording of a block whose stack was walked. */
#ifndef ASNAP_HOOKS_GATE_H
#define ASNAP_HOOKS_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "deferred.h"
#include "records.h"
#include "root.h"
#include "thread.h"
#include "walker.h"
#include "watch.h"

/* Whether a hook that this thread was in will never be left: a signal handler has jumped
 * out of it. Then the thread is as if it were in none. */
bool asnap_gate_was_abandoned(void);

/* Does what signal handlers have left meanwhile, and tells of limits that were reached. */
void asnap_gate_run_deferred(void);

/* About where the stack pointer is, without a frame pointer for it. */
static inline __attribute__((always_inline)) uint64_t asnap_gate_stack_place(void)
{
    char here;
    uintptr_t place = (uintptr_t)&here;
    __asm__("" : "+r"(place));
    return place;
}

/* A hook takes less of the stack than this, in bytes, while it is at work on the table; libgcc
 * may take more, where it is asked. It is touched before anything is held: a stack that
 * overflows does so there, and a handler that jumps out leaves nothing half done. */
enum { ASNAP_GATE_STACK_BYTES = 2048 };

/* Begins work on the table. False: this thread is at it already, and what runs now
 * is a signal handler, or libc on the hooks' own behalf. */
static inline bool asnap_gate_enter(void)
{
    struct asnap_thread *thread = &asnap_thread;
    if (__builtin_expect(thread->activity != ASNAP_IDLE, 0) && !asnap_gate_was_abandoned())
        return false;
    uint64_t place = asnap_gate_stack_place();
    (void)*(const volatile char *)(uintptr_t)(place - ASNAP_GATE_STACK_BYTES);
    thread->entered_at = place;
    thread->activity = ASNAP_RECORDING;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

/* Ends work on the table, after doing what signal handlers left meanwhile. */
static inline void asnap_gate_leave(void)
{
    struct asnap_thread *thread = &asnap_thread;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->activity = ASNAP_IDLE;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(thread->deferred != NULL, 0))
        asnap_gate_run_deferred();
}

/* Counts a block that there was no memory for. */
void asnap_gate_drop(void);

/* Counts a block that no record can be made of. */
void asnap_gate_refuse(void);

/* In a child (process.h) whose thread has left nothing to do: records what its parent's other
 * threads had left, and frees what they were at. */
void asnap_gate_mend(void);

/* Withdraws the record with this key, and sees to it that none is made by a hook that a handler has
 * left it to. False: there was none. `mode` is what the root said of `tracing` when the call
 * began, here and below. */
bool asnap_gate_remove(uint64_t key, struct asnap_removed *removed, uint32_t mode);

/* The same, where it matters why there was none. */
enum asnap_withdrawn {
    ASNAP_WITHDRAWN,
    ASNAP_WITHDRAWN_LEFT, /* a handler had left it to be made, and it is not made now */
    ASNAP_NO_RECORD,
};
enum asnap_withdrawn asnap_gate_withdraw(uint64_t key, struct asnap_removed *removed,
                                         uint32_t mode);

/* The second half of that, where no record was found. */
static inline bool asnap_gate_may_be_awaited(void)
{
    return __builtin_expect(__atomic_load_n(&asnap_deferred_inserts, __ATOMIC_RELAXED), 0);
}

bool asnap_gate_remove_awaited(uint64_t key, struct asnap_removed *removed, uint32_t mode);

/* Counts one as refused, and forgets what was recorded of the block before, which is not true any
 * more. Returns false. */
bool asnap_gate_refuse_key(uint64_t key, uint32_t mode);

/* Counts a record that was not made, and a block that was freed unseen: `is_new`, it was not live
 * before, and yet there was a record of it. Whether the record was made. */
bool asnap_gate_count(enum asnap_inserted inserted, bool is_new);

/* Whether there can be a record of a block of this size; else it was counted. */
static ASNAP_HOT bool asnap_gate_takes(uint64_t key, size_t size, uint32_t mode)
{
    uint64_t large = __atomic_load_n(&asnap_watch_large_bytes, __ATOMIC_RELAXED);
    if (__builtin_expect(size >= large, 0) && !asnap_watch_large(size))
        return asnap_gate_refuse_key(key, mode);
    return true;
}

/* Records a block under its key (not 0) with the stack that was walked. False: it could not be
 * recorded, and was counted. */
static ASNAP_HOT bool asnap_gate_record(uint64_t key, size_t size, struct asnap_walker *walker,
                                        bool is_new, uint32_t mode)
{
    if (!asnap_gate_takes(key, size, mode))
        return false;
    uint32_t stack = asnap_walker_intern(walker);
    enum asnap_inserted inserted = ASNAP_NO_MEMORY;
    if (stack != ASNAP_TABLE_NONE)
        inserted = mode == ASNAP_TABLE_TRACING_ALL
                       ? asnap_records_insert(key, size, stack)
                       : asnap_records_insert_sampled(key, size, stack, mode);
    return __builtin_expect(inserted == ASNAP_INSERTED, 1) || asnap_gate_count(inserted, is_new);
}

#endif
