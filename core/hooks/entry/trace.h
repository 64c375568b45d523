/* Tracing one call: between the allocation functions and the table. `mode` is what the root said of
 * `tracing` when the call began: ASNAP_TABLE_TRACING_ALL, or the number of a sample. */
#ifndef ASNAP_HOOKS_TRACE_H
#define ASNAP_HOOKS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deferred.h"
#include "records.h"
#include "sample_filter.h"
#include "thread.h"
#include "walker.h"

/* A request of `size` bytes has got nothing. Empty ones may get NULL. */
void asnap_trace_failed(size_t size);

/* Records a new block of `size` bytes; `caller` has called the allocation function. NULL is one
 * that failed. */
void asnap_trace_allocated(void *block, size_t size, const struct asnap_caller *caller);

/* The same of a block that the sample takes. */
void asnap_trace_sampled(void *block, size_t size, const struct asnap_caller *caller,
                         uint32_t mode);

/* Records a block under a key of the table (not 0), where it is a sample that takes it; one with
 * the same key is replaced, or forgotten. False: it could not be recorded, and was counted as
 * dropped or refused. */
bool asnap_trace_track(uint64_t key, size_t size, const struct asnap_caller *caller, uint32_t mode);

/* Where a definition before the hooks' has the program's calls: whether it has called now. */
void asnap_trace_look_at_release(uint64_t caller);

/* Whether a sample has no record with this key, as of nearly all blocks. What a handler has left to
 * be recorded may have this key, too. */
static inline bool asnap_trace_passes(uint64_t key)
{
    return __builtin_expect(!asnap_deferred_is_any_left() && !asnap_filter_has(key), 1);
}

/* Before the first call of the program goes on: so many freed blocks are to be kept, and whether
 * totals and how much is traced over the time are. */
void asnap_trace_begin(uint64_t freed, bool totals, bool history);

/* It was found out whether walks are checked. */
void asnap_trace_note_check(void);

/* Whether a release goes the way on which it matters who does it, and when: blocks that are freed
 * are kept, totals or the history, or calls of the program go to a definition before the hooks'. */
extern bool asnap_trace_is_told;

/* Forgets the record with this key, if there is one. */
void asnap_trace_untrack(uint64_t key, uint32_t mode);

/* Forgets a block that `release` is about to take back. False: `release` must not be
 * called now, the hooks see to it later. */
bool asnap_trace_releasing(void *block, void (*release)(void *));

/* The same for a block of which the sample may have a record (asnap_trace_passes). */
bool asnap_trace_releasing_sampled(void *block, void (*release)(void *), uint32_t mode);

/* Both with whoever frees the block, in any mode. */
bool asnap_trace_releasing_by(void *block, void (*release)(void *),
                              const struct asnap_caller *caller, uint32_t mode);
void asnap_trace_untrack_by(uint64_t key, const struct asnap_caller *caller, uint32_t mode);

/* The number of a block that asnap_trace_take has forgotten and that is freed now (freed.h); 0:
 * such are not kept. */
uint64_t asnap_trace_freed(void *block, const struct asnap_removed *removed,
                           const struct asnap_caller *caller);

/* A block of which asnap_trace_take knows nothing is resized now. */
void asnap_trace_unknown_resize(const void *block, const struct asnap_caller *caller,
                                uint32_t mode);

/* How asnap_trace_take ended. */
enum asnap_taken {
    ASNAP_TAKEN,      /* `removed` says what was known */
    ASNAP_UNKNOWN,    /* the block was not traced */
    ASNAP_TAKEN_LEFT, /* it would have been, had it not been resized before */
    ASNAP_TAKE_LATE,  /* the table cannot be touched now, or has no record of the block yet */
};

/* A block that asnap_trace_take has forgotten was resized, which ends it for totals. */
void asnap_trace_resized(const void *block, const struct asnap_removed *removed, uint32_t mode);

/* Forgets a block that is about to be resized. */
enum asnap_taken asnap_trace_take(void *block, struct asnap_removed *removed, uint32_t mode);

/* Records a block again after asnap_trace_take, as it was. */
void asnap_trace_put_back(void *block, const struct asnap_removed *removed, uint32_t mode);

#endif
