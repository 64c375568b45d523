/* The replaceable operator new and delete of C++ ([new.delete]), by their Itanium
 * ABI names. Each goes on to the definition underneath, which may throw. */
#include "interpose.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "operators.h"
#include "sampler.h"

#ifndef __STDCPP_DEFAULT_NEW_ALIGNMENT__
#define __STDCPP_DEFAULT_NEW_ALIGNMENT__ _Alignof(max_align_t)
#endif

#define DEFAULT_ALIGNMENT __STDCPP_DEFAULT_NEW_ALIGNMENT__

struct nothrow;

/* Without a C++ library there is no std::bad_alloc to throw. */
static _Noreturn void give_up(void)
{
    static const char line[] =
        "allocsnap: operator new: out of memory, and no C++ library to report it to\n";
    asnap_kernel_write(STDERR_FILENO, line, sizeof(line) - 1);
    asnap_kernel_abort();
}

/* Where no C++ library was there at start-up: all of them take their memory so, as long as there
 * is some. NULL: there is none. */
static void *plain_new(size_t size, size_t alignment)
{
    void *block = NULL;
    if (alignment <= DEFAULT_ALIGNMENT)
        return asnap_under.malloc(size == 0 ? 1 : size);
    return asnap_under.posix_memalign(&block, alignment, size == 0 ? 1 : size) == 0 ? block : NULL;
}

/* Whether the operator underneath has handed out the inside of a block that it took with
 * malloc and that is recorded, such as one behind a header of the program's own. */
static bool is_inside_last(const void *block)
{
    const struct asnap_thread *thread = &asnap_thread;
    uint64_t offset = (uint64_t)(uintptr_t)block - ~thread->last_block;
    return thread->last_block != 0 && offset != 0 && offset < thread->last_size;
}

/* After the operator underneath has handed out a block of which the sample was asked. What that
 * operator has allocated for it elsewhere was asked about too: where it is the block itself, what
 * was said of the block holds, and where the block lies inside, what was said of the whole. */
static __attribute__((noinline)) void end_sampled(void *block, size_t size,
                                                  const struct asnap_caller *caller, uint32_t mode,
                                                  bool is_sampled)
{
    asnap_sampler_release();
    if (is_inside_last(block))
        return;
    if (is_sampled)
        asnap_trace_sampled(block, size, caller, mode);
    else if (asnap_thread.last_block == ~(uint64_t)(uintptr_t)block)
        asnap_trace_untrack((uint64_t)(uintptr_t)block, mode);
}

/* Whether the sample takes a block that an operator new is about to hand out. */
static ASNAP_HOT bool begin_sampled(size_t size, uint32_t mode)
{
    bool is_sampled = asnap_sampler_take(size, mode) == ASNAP_SAMPLED;
    if (__builtin_expect(is_sampled, 0))
        asnap_sampler_hold();
    return is_sampled;
}

static __attribute__((noinline)) void note_plain(void *block, size_t size,
                                                 const struct asnap_caller *caller, uint32_t mode)
{
    if (mode == ASNAP_TABLE_TRACING_ALL)
        asnap_trace_allocated(block, size, caller);
    else if (mode != 0 && asnap_sampler_take(size, mode) == ASNAP_SAMPLED)
        asnap_trace_sampled(block, size, caller, mode);
}

#define OPERATOR_NEW(FUNCTION, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_FAIL)                         \
    ASNAP_EXPORT void *FUNCTION PARAMETERS __asm__(ASNAP_NAME_##FUNCTION);                         \
    void *FUNCTION PARAMETERS                                                                      \
    {                                                                                              \
        ASNAP_LEAVE_STACK_UNTOUCHED();                                                             \
        void *(*next)PARAMETERS = NULL;                                                            \
        const struct asnap_caller caller = ASNAP_CALLER;                                           \
        uint32_t mode = asnap_control_mode();                                                      \
        void *found = asnap_operators[ASNAP_OPERATOR_##FUNCTION];                                  \
        if (found == NULL) {                                                                       \
            void *plain = plain_new(size, (ALIGNMENT));                                            \
            found =                                                                                \
                plain == NULL ? asnap_operator_seen_from(ASNAP_NAME_##FUNCTION, caller.pc) : NULL; \
            if (found == NULL) {                                                                   \
                note_plain(plain, size, &caller, mode);                                            \
                if (plain == NULL && !(MAY_FAIL))                                                  \
                    give_up();                                                                     \
                asnap_forget_registers();                                                          \
                return plain;                                                                      \
            }                                                                                      \
        }                                                                                          \
        memcpy(&next, &found, sizeof(next));                                                       \
        if (mode == 0 || asnap_within_operator(caller.pc))                                         \
            return next ARGUMENTS;                                                                 \
        bool is_sampled = mode != ASNAP_TABLE_TRACING_ALL && begin_sampled(size, mode);            \
        asnap_thread.wrapping = found;                                                             \
        asnap_thread.last_block = 0;                                                               \
        void *block = next ARGUMENTS;                                                              \
        asnap_thread.wrapping = NULL;                                                              \
        if (mode != ASNAP_TABLE_TRACING_ALL) {                                                     \
            if (__builtin_expect(is_sampled || asnap_thread.last_block != 0, 0))                   \
                end_sampled(block, size, &caller, mode, is_sampled);                               \
        } else if (!is_inside_last(block)) {                                                       \
            asnap_trace_allocated(block, size, &caller);                                           \
        }                                                                                          \
        asnap_forget_registers();                                                                  \
        return block;                                                                              \
    }

/* Whether there may be a record of a block. */
static ASNAP_HOT bool is_to_be_forgotten(const void *block, uint32_t mode)
{
    return mode == ASNAP_TABLE_TRACING_ALL || (mode != 0 && !asnap_trace_passes((uintptr_t)block));
}

static ASNAP_HOT bool forget(void *block, void (*release)(void *),
                             const struct asnap_caller *caller, uint32_t mode)
{
    if (__builtin_expect(asnap_trace_is_told, 0))
        return asnap_trace_releasing_by(block, release, caller, mode);
    return mode == ASNAP_TABLE_TRACING_ALL ? asnap_trace_releasing(block, release)
                                           : asnap_trace_releasing_sampled(block, release, mode);
}

#define OPERATOR_DELETE(FUNCTION, PARAMETERS, ARGUMENTS)                                           \
    static void release_##FUNCTION(void *block);                                                   \
    ASNAP_EXPORT void FUNCTION PARAMETERS __asm__(ASNAP_NAME_##FUNCTION);                          \
    static void next_##FUNCTION PARAMETERS                                                         \
    {                                                                                              \
        void(*next) PARAMETERS = NULL;                                                             \
        void *found = asnap_operators[ASNAP_OPERATOR_##FUNCTION];                                  \
        if (found == NULL) {                                                                       \
            asnap_under.free(block);                                                               \
            return;                                                                                \
        }                                                                                          \
        memcpy(&next, &found, sizeof(next));                                                       \
        next ARGUMENTS;                                                                            \
    }                                                                                              \
    void FUNCTION PARAMETERS                                                                       \
    {                                                                                              \
        if (block == NULL || asnap_next_is_early(block))                                           \
            return;                                                                                \
        const struct asnap_caller caller = ASNAP_CALLER;                                           \
        if (__builtin_expect(asnap_trace_is_told, 0))                                              \
            asnap_trace_look_at_release(caller.pc);                                                \
        void *outer = asnap_thread.releasing;                                                      \
        uint32_t mode = asnap_control_mode();                                                      \
        if (is_to_be_forgotten(block, mode) && outer != block) {                                   \
            if (!forget(block, release_##FUNCTION, &caller, mode))                                 \
                return;                                                                            \
            asnap_thread.releasing = block;                                                        \
        }                                                                                          \
        next_##FUNCTION ARGUMENTS;                                                                 \
        asnap_thread.releasing = outer;                                                            \
    }

/* A release put off has lost the size and alignment, which are hints: the plain form
 * takes every block of its kind ([new.delete.single], [new.delete.array]). */
#define RELEASE(FUNCTION, PLAIN)                                                                   \
    static void release_##FUNCTION(void *block)                                                    \
    {                                                                                              \
        next_##PLAIN(block);                                                                       \
    }

/* Aligned blocks must go back through an aligned form. */
#define RELEASE_ALIGNED(FUNCTION, PLAIN)                                                           \
    static void release_##FUNCTION(void *block)                                                    \
    {                                                                                              \
        next_##PLAIN(block, __STDCPP_DEFAULT_NEW_ALIGNMENT__);                                     \
    }

OPERATOR_NEW(new_plain, (size_t size), (size), DEFAULT_ALIGNMENT, false)
OPERATOR_NEW(new_array, (size_t size), (size), DEFAULT_ALIGNMENT, false)
OPERATOR_NEW(new_nothrow, (size_t size, const struct nothrow *tag), (size, tag), DEFAULT_ALIGNMENT,
             true)
OPERATOR_NEW(new_array_nothrow, (size_t size, const struct nothrow *tag), (size, tag),
             DEFAULT_ALIGNMENT, true)
OPERATOR_NEW(new_aligned, (size_t size, size_t alignment), (size, alignment), alignment, false)
OPERATOR_NEW(new_array_aligned, (size_t size, size_t alignment), (size, alignment), alignment,
             false)
OPERATOR_NEW(new_aligned_nothrow, (size_t size, size_t alignment, const struct nothrow *tag),
             (size, alignment, tag), alignment, true)
OPERATOR_NEW(new_array_aligned_nothrow, (size_t size, size_t alignment, const struct nothrow *tag),
             (size, alignment, tag), alignment, true)

OPERATOR_DELETE(delete_plain, (void *block), (block))
OPERATOR_DELETE(delete_array, (void *block), (block))
OPERATOR_DELETE(delete_aligned, (void *block, size_t alignment), (block, alignment))
OPERATOR_DELETE(delete_array_aligned, (void *block, size_t alignment), (block, alignment))
OPERATOR_DELETE(delete_sized, (void *block, size_t size), (block, size))
OPERATOR_DELETE(delete_array_sized, (void *block, size_t size), (block, size))
OPERATOR_DELETE(delete_nothrow, (void *block, const struct nothrow *tag), (block, tag))
OPERATOR_DELETE(delete_array_nothrow, (void *block, const struct nothrow *tag), (block, tag))
OPERATOR_DELETE(delete_sized_aligned, (void *block, size_t size, size_t alignment),
                (block, size, alignment))
OPERATOR_DELETE(delete_array_sized_aligned, (void *block, size_t size, size_t alignment),
                (block, size, alignment))
OPERATOR_DELETE(delete_aligned_nothrow, (void *block, size_t alignment, const struct nothrow *tag),
                (block, alignment, tag))
OPERATOR_DELETE(delete_array_aligned_nothrow,
                (void *block, size_t alignment, const struct nothrow *tag), (block, alignment, tag))

RELEASE(delete_plain, delete_plain)
RELEASE(delete_array, delete_array)
RELEASE(delete_sized, delete_plain)
RELEASE(delete_array_sized, delete_array)
RELEASE(delete_nothrow, delete_plain)
RELEASE(delete_array_nothrow, delete_array)
RELEASE_ALIGNED(delete_aligned, delete_aligned)
RELEASE_ALIGNED(delete_array_aligned, delete_array_aligned)
RELEASE_ALIGNED(delete_sized_aligned, delete_aligned)
RELEASE_ALIGNED(delete_array_sized_aligned, delete_array_aligned)
RELEASE_ALIGNED(delete_aligned_nothrow, delete_aligned)
RELEASE_ALIGNED(delete_array_aligned_nothrow, delete_array_aligned)
