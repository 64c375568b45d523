/* Tracing one call: between the allocation functions and the table. */
#ifndef ASNAP_HOOKS_TRACE_H
#define ASNAP_HOOKS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records.h"
#include "walker.h"

/* Records a new block of `size` bytes; `caller` has called the allocation function. Does
 * nothing for NULL. */
void asnap_trace_allocated(void *block, size_t size, const struct asnap_caller *caller);

/* Records a block under a key of the table (not 0); one with the same key is replaced.
 * False: it could not be recorded, and was counted as dropped or refused. */
bool asnap_trace_track(uint64_t key, size_t size, const struct asnap_caller *caller);

/* Where a definition before the hooks' has the program's calls: whether it has called now. */
void asnap_trace_look_at_release(uint64_t caller);

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
