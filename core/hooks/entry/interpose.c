/* The C allocation functions (C11 7.22.3, C23 7.24.3, POSIX, malloc(3)). */
#include "interpose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugger_call.h"
#include "loaded_modules.h"
#include "unwind_rows.h"

/* An operator new that has got nothing may throw, and then not come back to the one that sent
 * this thread to it. */
static void note_allocated(void *block, size_t size, const struct asnap_caller *caller)
{
    if (!asnap_within_operator(caller->pc))
        asnap_trace_allocated(block, size, caller);
    else if (block == NULL)
        asnap_thread.wrapping = NULL;
}

ASNAP_EXPORT void *malloc(size_t size)
{
    bool tracing = asnap_control_tracing();
    void *block = asnap_next.malloc(size);
    if (tracing) {
        const struct asnap_caller caller = ASNAP_CALLER;
        if (!asnap_is_debugger_call(&caller))
            note_allocated(block, size, &caller);
    }
    return block;
}

ASNAP_EXPORT void *calloc(size_t count, size_t size)
{
    bool tracing = asnap_control_tracing();
    void *block = asnap_next.calloc(count, size);
    if (tracing)
        note_allocated(block, count * size, &ASNAP_CALLER);
    return block;
}

/* A block whose record cannot be touched now is not resized but replaced. */
static void *replace(void *block, size_t size, const struct asnap_caller *caller, bool tracing)
{
    void *replacement = size == 0 ? NULL : asnap_under.malloc(size);
    if (replacement == NULL && size != 0)
        return NULL;
    if (replacement != NULL) {
        size_t old_size = asnap_next_is_early(block) ? asnap_next_early_size(block)
                                                     : asnap_next_block_bytes(block, size);
        memcpy(replacement, block, old_size < size ? old_size : size);
        if (tracing)
            asnap_trace_allocated(replacement, size, caller);
    }
    if (!asnap_next_is_early(block) && asnap_trace_releasing(block, asnap_under.free))
        asnap_under.free(block);
    return replacement;
}

static void *resize(void *block, size_t size, const struct asnap_caller *caller)
{
    struct asnap_removed removed;
    if (block == NULL) {
        block = asnap_next.realloc(NULL, size);
        note_allocated(block, size, caller);
        return block;
    }
    enum asnap_taken taken = asnap_trace_take(block, &removed);
    if (taken == ASNAP_TAKE_LATE)
        return replace(block, size, caller, true);
    void *resized = asnap_next.realloc(block, size);
    if (resized != NULL)
        note_allocated(resized, size, caller);
    else if (size != 0 && taken == ASNAP_TAKEN)
        asnap_trace_put_back(block, &removed);
    return resized;
}

ASNAP_EXPORT void *realloc(void *block, size_t size)
{
    bool tracing = asnap_control_tracing();
    if (asnap_next_is_early(block))
        return replace(block, size, &ASNAP_CALLER, tracing);
    return tracing ? resize(block, size, &ASNAP_CALLER) : asnap_next.realloc(block, size);
}

ASNAP_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    bool tracing = asnap_control_tracing();
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    if (asnap_next.realloc_before != NULL)
        return asnap_next.realloc_before(block, bytes);
    if (asnap_next_is_early(block))
        return replace(block, bytes, &ASNAP_CALLER, tracing);
    return tracing ? resize(block, bytes, &ASNAP_CALLER) : asnap_next.realloc(block, bytes);
}

/* Whether the block may be released now. */
static ASNAP_HOT bool note_releasing(void *block, void (*release)(void *), uint64_t caller)
{
    if (block == NULL || asnap_next_is_early(block))
        return false;
    if (!asnap_control_tracing())
        return true;
    if (__builtin_expect(allocsnap_root.preceded != 0, 0))
        asnap_trace_look_at_release(caller);
    if (asnap_thread.releasing == block)
        return true;
    return asnap_trace_releasing(block, release);
}

/* The dynamic linker frees what it knew of a file after it has unloaded it. */
ASNAP_EXPORT void free(void *block)
{
    uint64_t caller = (uint64_t)(uintptr_t)__builtin_return_address(0);
    if (asnap_modules_is_linker(caller))
        asnap_rows_forget();
    if (note_releasing(block, asnap_under.free, caller))
        asnap_next.free(block);
}

ASNAP_EXPORT void free_sized(void *block, size_t size);
ASNAP_EXPORT void free_sized(void *block, size_t size)
{
    if (asnap_next.free_before != NULL) {
        asnap_next.free_before(block);
        return;
    }
    if (!note_releasing(block, asnap_under.free, (uint64_t)(uintptr_t)__builtin_return_address(0)))
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
    if (!note_releasing(block, asnap_under.free, (uint64_t)(uintptr_t)__builtin_return_address(0)))
        return;
    if (asnap_next.free_aligned_sized != NULL)
        asnap_next.free_aligned_sized(block, alignment, size);
    else
        asnap_next.free(block);
}

ASNAP_EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    bool tracing = asnap_control_tracing();
    int result = asnap_next.posix_memalign(block, alignment, size);
    if (tracing)
        note_allocated(result == 0 ? *block : NULL, size, &ASNAP_CALLER);
    return result;
}

ASNAP_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    bool tracing = asnap_control_tracing();
    void *block = asnap_next.aligned_alloc(alignment, size);
    if (tracing)
        note_allocated(block, size, &ASNAP_CALLER);
    return block;
}

ASNAP_EXPORT void *memalign(size_t alignment, size_t size);
ASNAP_EXPORT void *memalign(size_t alignment, size_t size)
{
    bool tracing = asnap_control_tracing();
    void *block = asnap_next.memalign(alignment, size);
    if (tracing)
        note_allocated(block, size, &ASNAP_CALLER);
    return block;
}

ASNAP_EXPORT void *valloc(size_t size)
{
    bool tracing = asnap_control_tracing();
    void *block = asnap_next.valloc(size);
    if (tracing)
        note_allocated(block, size, &ASNAP_CALLER);
    return block;
}

ASNAP_EXPORT void *pvalloc(size_t size);
ASNAP_EXPORT void *pvalloc(size_t size)
{
    bool tracing = asnap_control_tracing();
    void *block = asnap_next.pvalloc(size);
    if (tracing)
        note_allocated(block, size, &ASNAP_CALLER);
    return block;
}

ASNAP_EXPORT size_t malloc_usable_size(void *block);
ASNAP_EXPORT size_t malloc_usable_size(void *block)
{
    asnap_control_tracing();
    return asnap_next_is_early(block) ? asnap_next_early_size(block)
                                      : asnap_next.malloc_usable_size(block);
}
