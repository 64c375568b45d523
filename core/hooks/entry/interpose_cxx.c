/* The replaceable operator new and delete of C++ ([new.delete]), by their Itanium
 * ABI names. Each goes on to the definition underneath, which may throw. */
#include "interpose.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "lock.h"

#ifndef __STDCPP_DEFAULT_NEW_ALIGNMENT__
#define __STDCPP_DEFAULT_NEW_ALIGNMENT__ _Alignof(max_align_t)
#endif

#define DEFAULT_ALIGNMENT __STDCPP_DEFAULT_NEW_ALIGNMENT__

struct nothrow;

/* An operator and the definition underneath: NULL where there was none at start-up. */
struct cxx_operator {
    const char *name;
    void *found;
};

/* Of no use without a C++ library: nobody can throw std::bad_alloc. */
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
        return asnap_next.malloc(size == 0 ? 1 : size);
    return asnap_next.posix_memalign(&block, alignment, size == 0 ? 1 : size) == 0 ? block : NULL;
}

/* The operator that knows what to do when memory is short: one that the caller has brought with
 * it, or that a C++ library has. NULL: there is none. */
static void *find_late(const char *name, uint64_t caller)
{
    struct asnap_libraries libraries;
    asnap_libraries_open(&libraries, !asnap_is_alone());
    void *found = asnap_symbol_seen_from(&libraries, caller, name);
    asnap_libraries_close(&libraries);
    return found;
}

/* Whether the operator underneath has handed out the inside of a block that it took with
 * malloc and that is recorded, such as one behind a header of the program's own. */
static bool is_inside_last(const void *block)
{
    const struct asnap_thread *thread = &asnap_thread;
    size_t offset = (size_t)((const char *)block - thread->last_block);
    return thread->last_block != NULL && offset != 0 && offset < thread->last_size;
}

#define OPERATOR_NEW(FUNCTION, NAME, PARAMETERS, ARGUMENTS, ALIGNMENT, MAY_FAIL)                   \
    static struct cxx_operator operator_##FUNCTION = {.name = NAME};                               \
    ASNAP_EXPORT void *FUNCTION PARAMETERS __asm__(NAME);                                          \
    void *FUNCTION PARAMETERS                                                                      \
    {                                                                                              \
        void *(*next)PARAMETERS = NULL;                                                            \
        const struct asnap_caller caller = ASNAP_CALLER;                                           \
        bool tracing = asnap_control_tracing();                                                    \
        void *found = operator_##FUNCTION.found;                                                   \
        if (found == NULL) {                                                                       \
            void *plain = plain_new(size, (ALIGNMENT));                                            \
            found = plain == NULL ? find_late(NAME, caller.pc) : NULL;                             \
            if (found == NULL) {                                                                   \
                if (tracing)                                                                       \
                    asnap_trace_allocated(plain, size, &caller);                                   \
                if (plain == NULL && !(MAY_FAIL))                                                  \
                    give_up();                                                                     \
                return plain;                                                                      \
            }                                                                                      \
        }                                                                                          \
        memcpy(&next, &found, sizeof(next));                                                       \
        if (!tracing || asnap_within_operator(caller.pc))                                          \
            return next ARGUMENTS;                                                                 \
        asnap_thread.wrapping = found;                                                             \
        asnap_thread.last_block = NULL;                                                            \
        void *block = next ARGUMENTS;                                                              \
        asnap_thread.wrapping = NULL;                                                              \
        if (!is_inside_last(block))                                                                \
            asnap_trace_allocated(block, size, &caller);                                           \
        return block;                                                                              \
    }

#define OPERATOR_DELETE(FUNCTION, NAME, PARAMETERS, ARGUMENTS)                                     \
    static struct cxx_operator operator_##FUNCTION = {.name = NAME};                               \
    static void release_##FUNCTION(void *block);                                                   \
    ASNAP_EXPORT void FUNCTION PARAMETERS __asm__(NAME);                                           \
    static void next_##FUNCTION PARAMETERS                                                         \
    {                                                                                              \
        void(*next) PARAMETERS = NULL;                                                             \
        void *found = operator_##FUNCTION.found;                                                   \
        if (found == NULL) {                                                                       \
            asnap_next.free(block);                                                                \
            return;                                                                                \
        }                                                                                          \
        memcpy(&next, &found, sizeof(next));                                                       \
        next ARGUMENTS;                                                                            \
    }                                                                                              \
    void FUNCTION PARAMETERS                                                                       \
    {                                                                                              \
        if (block == NULL || asnap_next_is_early(block))                                           \
            return;                                                                                \
        void *outer = asnap_thread.releasing;                                                      \
        if (asnap_control_tracing() && outer != block) {                                           \
            if (!asnap_trace_releasing(block, release_##FUNCTION))                                 \
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

OPERATOR_NEW(new_plain, "_Znwm", (size_t size), (size), DEFAULT_ALIGNMENT, false)
OPERATOR_NEW(new_array, "_Znam", (size_t size), (size), DEFAULT_ALIGNMENT, false)
OPERATOR_NEW(new_nothrow, "_ZnwmRKSt9nothrow_t", (size_t size, const struct nothrow *tag),
             (size, tag), DEFAULT_ALIGNMENT, true)
OPERATOR_NEW(new_array_nothrow, "_ZnamRKSt9nothrow_t", (size_t size, const struct nothrow *tag),
             (size, tag), DEFAULT_ALIGNMENT, true)
OPERATOR_NEW(new_aligned, "_ZnwmSt11align_val_t", (size_t size, size_t alignment),
             (size, alignment), alignment, false)
OPERATOR_NEW(new_array_aligned, "_ZnamSt11align_val_t", (size_t size, size_t alignment),
             (size, alignment), alignment, false)
OPERATOR_NEW(new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t",
             (size_t size, size_t alignment, const struct nothrow *tag), (size, alignment, tag),
             alignment, true)
OPERATOR_NEW(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t",
             (size_t size, size_t alignment, const struct nothrow *tag), (size, alignment, tag),
             alignment, true)

OPERATOR_DELETE(delete_plain, "_ZdlPv", (void *block), (block))
OPERATOR_DELETE(delete_array, "_ZdaPv", (void *block), (block))
OPERATOR_DELETE(delete_aligned, "_ZdlPvSt11align_val_t", (void *block, size_t alignment),
                (block, alignment))
OPERATOR_DELETE(delete_array_aligned, "_ZdaPvSt11align_val_t", (void *block, size_t alignment),
                (block, alignment))
OPERATOR_DELETE(delete_sized, "_ZdlPvm", (void *block, size_t size), (block, size))
OPERATOR_DELETE(delete_array_sized, "_ZdaPvm", (void *block, size_t size), (block, size))
OPERATOR_DELETE(delete_nothrow, "_ZdlPvRKSt9nothrow_t", (void *block, const struct nothrow *tag),
                (block, tag))
OPERATOR_DELETE(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t",
                (void *block, const struct nothrow *tag), (block, tag))
OPERATOR_DELETE(delete_sized_aligned, "_ZdlPvmSt11align_val_t",
                (void *block, size_t size, size_t alignment), (block, size, alignment))
OPERATOR_DELETE(delete_array_sized_aligned, "_ZdaPvmSt11align_val_t",
                (void *block, size_t size, size_t alignment), (block, size, alignment))
OPERATOR_DELETE(delete_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t",
                (void *block, size_t alignment, const struct nothrow *tag), (block, alignment, tag))
OPERATOR_DELETE(delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t",
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

static struct cxx_operator *const operators[] = {
    &operator_new_plain,
    &operator_new_array,
    &operator_new_nothrow,
    &operator_new_array_nothrow,
    &operator_new_aligned,
    &operator_new_array_aligned,
    &operator_new_aligned_nothrow,
    &operator_new_array_aligned_nothrow,
    &operator_delete_plain,
    &operator_delete_array,
    &operator_delete_aligned,
    &operator_delete_array_aligned,
    &operator_delete_sized,
    &operator_delete_array_sized,
    &operator_delete_nothrow,
    &operator_delete_array_nothrow,
    &operator_delete_sized_aligned,
    &operator_delete_array_sized_aligned,
    &operator_delete_aligned_nothrow,
    &operator_delete_array_aligned_nothrow,
};

void asnap_operators_resolve(struct asnap_libraries *libraries)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        operators[i]->found = asnap_symbol_next(libraries, operators[i]->name);
}
