/* The C allocation functions (C11 7.22.3, C23 7.24.3, POSIX, malloc(3)). */
#include "interpose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugger_call.h"
#include "freed.h"
#include "history.h"
#include "loaded_modules.h"
#include "sampler.h"
#include "unwind_rows.h"

/* An operator new that has got nothing may throw, and then not come back to the one that sent
 * this thread to it. */
static __attribute__((noinline)) void note_failed_within(size_t size)
{
    asnap_thread.wrapping = NULL;
    asnap_trace_failed(size);
}

static void note_allocated(void *block, size_t size, const struct asnap_caller *caller)
{
    if (!asnap_within_operator(caller->pc))
        asnap_trace_allocated(block, size, caller);
    else if (block == NULL)
        note_failed_within(size);
}

/* The same for a block that the sample has not passed by. Returns the block, which so need not be
 * kept over the call. */
static __attribute__((noinline)) void *
note_sampled(void *block, size_t size, const struct asnap_caller *caller, uint32_t mode)
{
    struct asnap_thread *thread = &asnap_thread;
    enum asnap_sampled sampled = asnap_sampler_decide(size, mode);
    if (sampled == ASNAP_NOT_SAMPLED || asnap_is_debugger_call(caller))
        return block;
    if (asnap_within_operator(caller->pc)) {
        if (block == NULL)
            note_failed_within(size);
    } else if (sampled == ASNAP_ONLY_NOTED) {
        thread->last_block = ~(uint64_t)(uintptr_t)block;
        thread->last_size = size;
    } else {
        asnap_trace_sampled(block, size, caller, mode);
    }
    asnap_forget_registers();
    return block;
}

/* Tells of a block, as the first thing after the call that allocated it. */
#define NOTE(BLOCK, SIZE, MODE)                                                                    \
    do {                                                                                           \
        if ((MODE) == ASNAP_TABLE_TRACING_ALL) {                                                   \
            note_allocated((BLOCK), (SIZE), &ASNAP_CALLER);                                        \
            asnap_forget_registers();                                                              \
        } else if ((MODE) > ASNAP_TABLE_TRACING_ALL && !asnap_sampler_passes((SIZE), (MODE))) {    \
            note_sampled((BLOCK), (SIZE), &ASNAP_CALLER, (MODE));                                  \
        }                                                                                          \
    } while (0)

/* ---- malloc, calloc, realloc ---- */

/* The functions that are called most have no frame while nothing is traced: each goes on to a
 * function that finds its caller as this one has (ASNAP_GO_ON). */

static __attribute__((noinline)) void *traced_malloc(size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    void *block = asnap_next.malloc(size);
    const struct asnap_caller caller = ASNAP_CALLER;
    if (!asnap_is_debugger_call(&caller))
        note_allocated(block, size, &caller);
    else
        asnap_freed_doubt();
    asnap_forget_registers();
    return block;
}

static __attribute__((noinline)) void *sampled_malloc(size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode_now();
    void *block = asnap_next.malloc(size);
    if (mode > ASNAP_TABLE_TRACING_ALL && !asnap_sampler_passes(size, mode))
        return note_sampled(block, size, &ASNAP_CALLER, mode);
    return block;
}

static ASNAP_HOT void *malloc_now(size_t size)
{
    uint32_t mode = asnap_control_mode_now();
    if (mode == ASNAP_TABLE_TRACING_ALL)
        ASNAP_GO_ON traced_malloc(size);
    if (mode == 0 || asnap_sampler_passes(size, mode))
        ASNAP_GO_ON asnap_next.malloc(size);
    ASNAP_GO_ON sampled_malloc(size);
}

static __attribute__((noinline)) void *asked_malloc(size_t size)
{
    asnap_control_apply();
    ASNAP_GO_ON malloc_now(size);
}

ASNAP_EXPORT void *malloc(size_t size)
{
    if (asnap_control_is_asked())
        ASNAP_GO_ON asked_malloc(size);
    ASNAP_GO_ON malloc_now(size);
}

static __attribute__((noinline)) void *traced_calloc(size_t count, size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode();
    void *block = asnap_next.calloc(count, size);
    size_t bytes = count * size;
    if (__builtin_expect(block == NULL, 0) && __builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    NOTE(block, bytes, mode);
    return block;
}

ASNAP_EXPORT void *calloc(size_t count, size_t size)
{
    if (asnap_control_is_asked() || asnap_control_mode_now() != 0)
        ASNAP_GO_ON traced_calloc(count, size);
    ASNAP_GO_ON asnap_next.calloc(count, size);
}

/* A block whose record cannot be touched now is not resized but replaced. */
static void *replace(void *block, size_t size, const struct asnap_caller *caller, uint32_t mode)
{
    void *replacement = size == 0 ? NULL : asnap_under.malloc(size);
    if (replacement == NULL && size != 0) {
        if (mode != 0)
            asnap_trace_failed(size);
        return NULL;
    }
    if (replacement != NULL) {
        size_t old_size = asnap_next_is_early(block) ? asnap_next_early_size(block)
                                                     : asnap_next_block_bytes(block, size);
        memcpy(replacement, block, old_size < size ? old_size : size);
        if (mode == ASNAP_TABLE_TRACING_ALL)
            asnap_trace_allocated(replacement, size, caller);
        else if (mode != 0 && asnap_sampler_take(size, mode) == ASNAP_SAMPLED)
            asnap_trace_sampled(replacement, size, caller, mode);
    }
    if (asnap_next_is_early(block)) {
        asnap_forget_registers();
        return replacement;
    }
    if (asnap_trace_releasing_by(block, asnap_under.free, caller, mode))
        asnap_under.free(block);
    asnap_forget_registers();
    return replacement;
}

/* A resized block is another one for the sample: it is asked again. */
static void note_resized(void *block, size_t size, const struct asnap_caller *caller, uint32_t mode)
{
    if (mode == ASNAP_TABLE_TRACING_ALL) {
        note_allocated(block, size, caller);
        return;
    }
    if (!asnap_sampler_passes(size, mode))
        note_sampled(block, size, caller, mode);
}

/* `removed`: what was known of the block, which stays; NULL: nothing. */
static void note_not_resized(void *block, size_t size, const struct asnap_removed *removed,
                             uint32_t mode)
{
    if (removed != NULL)
        asnap_trace_put_back(block, removed, mode);
    asnap_trace_failed(size);
}

static void *resize(void *block, size_t size, const struct asnap_caller *caller, uint32_t mode)
{
    struct asnap_removed removed;
    if (block == NULL) {
        block = asnap_next.realloc(NULL, size);
        note_resized(block, size, caller, mode);
        asnap_forget_registers();
        return block;
    }
    enum asnap_taken taken = asnap_trace_take(block, &removed, mode);
    if (taken == ASNAP_TAKE_LATE)
        return replace(block, size, caller, mode);
    uint64_t freed = taken == ASNAP_TAKEN ? asnap_trace_freed(block, &removed, caller) : 0;
    if (taken == ASNAP_UNKNOWN)
        asnap_trace_unknown_resize(block, caller, mode);
    struct asnap_sample_weight held = {0};
    if (taken == ASNAP_TAKEN)
        held = asnap_history_hold(removed.size);
    void *resized = asnap_next.realloc(block, size);
    if (resized == block || (resized == NULL && size != 0))
        asnap_freed_take_back(freed);
    if (taken == ASNAP_TAKEN && (resized != NULL || size == 0))
        asnap_trace_resized(block, &removed, mode);
    if (resized != NULL)
        note_resized(resized, size, caller, mode);
    else if (size != 0)
        note_not_resized(block, size, taken == ASNAP_TAKEN ? &removed : NULL, mode);
    asnap_history_let_go(held);
    asnap_forget_registers();
    return resized;
}

static __attribute__((noinline)) void *traced_realloc(void *block, size_t size)
{
    uint32_t mode = asnap_control_mode();
    if (asnap_next_is_early(block))
        return replace(block, size, &ASNAP_CALLER, mode);
    return mode != 0 ? resize(block, size, &ASNAP_CALLER, mode) : asnap_next.realloc(block, size);
}

ASNAP_EXPORT void *realloc(void *block, size_t size)
{
    if (asnap_control_is_asked() || asnap_control_mode_now() != 0 || asnap_next_is_early(block))
        ASNAP_GO_ON traced_realloc(block, size);
    ASNAP_GO_ON asnap_next.realloc(block, size);
}

ASNAP_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    uint32_t mode = asnap_control_mode();
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        if (mode != 0)
            asnap_trace_failed(SIZE_MAX);
        errno = ENOMEM;
        return NULL;
    }
    if (asnap_next.realloc_before != NULL)
        return asnap_next.realloc_before(block, bytes);
    if (asnap_next_is_early(block))
        return replace(block, bytes, &ASNAP_CALLER, mode);
    return mode != 0 ? resize(block, bytes, &ASNAP_CALLER, mode) : asnap_next.realloc(block, bytes);
}

/* ---- free ---- */

/* Whether a block of which a sample may have a record may be released now. */
static __attribute__((noinline)) bool note_releasing_sampled(void *block, uint32_t mode)
{
    return asnap_thread.releasing == block ||
           asnap_trace_releasing_sampled(block, asnap_under.free, mode);
}

/* Whether the block may be released now. Nobody need know who does it. */
static ASNAP_HOT bool note_releasing(void *block, uint32_t mode)
{
    if (block == NULL || asnap_next_is_early(block))
        return false;
    if (mode == 0)
        return true;
    if (mode == ASNAP_TABLE_TRACING_ALL)
        return asnap_thread.releasing == block || asnap_trace_releasing(block, asnap_under.free);
    return asnap_trace_passes((uintptr_t)block) || note_releasing_sampled(block, mode);
}

/* The same in any case. */
static __attribute__((noinline)) bool note_releasing_by(void *block,
                                                        const struct asnap_caller *caller)
{
    uint32_t mode = asnap_control_mode();
    if (mode == 0 || !asnap_trace_is_told)
        return note_releasing(block, mode);
    if (block == NULL || asnap_next_is_early(block))
        return false;
    asnap_trace_look_at_release(caller->pc);
    if (mode != ASNAP_TABLE_TRACING_ALL && asnap_trace_passes((uintptr_t)block))
        return true;
    return asnap_thread.releasing == block ||
           asnap_trace_releasing_by(block, asnap_under.free, caller, mode);
}

/* The dynamic linker frees what it knew of a file after it has unloaded it. While nothing is traced
 * nobody need know (asnap_control_apply). */
static ASNAP_HOT void note_caller(uint64_t caller)
{
    if (asnap_modules_is_linker(caller))
        asnap_rows_forget();
}

static __attribute__((noinline)) void told_free(void *block)
{
    const struct asnap_caller caller = ASNAP_CALLER;
    note_caller(caller.pc);
    if (note_releasing_by(block, &caller))
        asnap_next.free(block);
}

static __attribute__((noinline)) void traced_free(void *block)
{
    if (__builtin_expect(asnap_trace_is_told, 0))
        ASNAP_GO_ON told_free(block);
    note_caller((uint64_t)(uintptr_t)__builtin_return_address(0));
    if (note_releasing(block, ASNAP_TABLE_TRACING_ALL))
        asnap_next.free(block);
}

static __attribute__((noinline)) void sampled_free(void *block)
{
    uint32_t mode = asnap_control_mode_now();
    if (__builtin_expect(asnap_trace_is_told, 0))
        ASNAP_GO_ON told_free(block);
    note_caller((uint64_t)(uintptr_t)__builtin_return_address(0));
    if (note_releasing(block, mode))
        asnap_next.free(block);
}

static __attribute__((noinline)) void asked_free(void *block)
{
    asnap_control_apply();
    ASNAP_GO_ON sampled_free(block);
}

ASNAP_EXPORT void free(void *block)
{
    if (asnap_control_is_asked())
        ASNAP_GO_ON asked_free(block);
    uint32_t mode = asnap_control_mode_now();
    if (mode == ASNAP_TABLE_TRACING_ALL)
        ASNAP_GO_ON traced_free(block);
    if (mode != 0 || asnap_next_is_early(block))
        ASNAP_GO_ON sampled_free(block);
    ASNAP_GO_ON asnap_next.free(block);
}

ASNAP_EXPORT void free_sized(void *block, size_t size);
ASNAP_EXPORT void free_sized(void *block, size_t size)
{
    if (asnap_next.free_before != NULL) {
        asnap_next.free_before(block);
        return;
    }
    if (!note_releasing_by(block, &ASNAP_CALLER))
        return;
    if (asnap_next.free_sized != NULL)
        asnap_next.free_sized(block, size);
    else
        asnap_next.free(block);
}

ASNAP_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);
ASNAP_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    if (asnap_next.free_before != NULL) {
        asnap_next.free_before(block);
        return;
    }
    if (!note_releasing_by(block, &ASNAP_CALLER))
        return;
    if (asnap_next.free_aligned_sized != NULL)
        asnap_next.free_aligned_sized(block, alignment, size);
    else
        asnap_next.free(block);
}

ASNAP_EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode();
    int result = asnap_next.posix_memalign(block, alignment, size);
    NOTE(result == 0 ? *block : NULL, size, mode);
    return result;
}

ASNAP_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode();
    void *block = asnap_next.aligned_alloc(alignment, size);
    NOTE(block, size, mode);
    return block;
}

ASNAP_EXPORT void *memalign(size_t alignment, size_t size);
ASNAP_EXPORT void *memalign(size_t alignment, size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode();
    void *block = asnap_next.memalign(alignment, size);
    NOTE(block, size, mode);
    return block;
}

ASNAP_EXPORT void *valloc(size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode();
    void *block = asnap_next.valloc(size);
    NOTE(block, size, mode);
    return block;
}

ASNAP_EXPORT void *pvalloc(size_t size);
ASNAP_EXPORT void *pvalloc(size_t size)
{
    ASNAP_LEAVE_STACK_UNTOUCHED();
    uint32_t mode = asnap_control_mode();
    void *block = asnap_next.pvalloc(size);
    NOTE(block, size, mode);
    return block;
}

ASNAP_EXPORT size_t malloc_usable_size(void *block);
ASNAP_EXPORT size_t malloc_usable_size(void *block)
{
    asnap_control_mode();
    return asnap_next_is_early(block) ? asnap_next_early_size(block)
                                      : asnap_next.malloc_usable_size(block);
}
