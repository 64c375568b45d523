/* The definitions of the C++ operators underneath the hooks', by their Itanium ABI names. */
#ifndef ASNAP_HOOKS_OPERATORS_H
#define ASNAP_HOOKS_OPERATORS_H

#include <stdint.h>

#include "linker.h"

#define ASNAP_NAME_new_plain "_Znwm"
#define ASNAP_NAME_new_array "_Znam"
#define ASNAP_NAME_new_nothrow "_ZnwmRKSt9nothrow_t"
#define ASNAP_NAME_new_array_nothrow "_ZnamRKSt9nothrow_t"
#define ASNAP_NAME_new_aligned "_ZnwmSt11align_val_t"
#define ASNAP_NAME_new_array_aligned "_ZnamSt11align_val_t"
#define ASNAP_NAME_new_aligned_nothrow "_ZnwmSt11align_val_tRKSt9nothrow_t"
#define ASNAP_NAME_new_array_aligned_nothrow "_ZnamSt11align_val_tRKSt9nothrow_t"
#define ASNAP_NAME_delete_plain "_ZdlPv"
#define ASNAP_NAME_delete_array "_ZdaPv"
#define ASNAP_NAME_delete_aligned "_ZdlPvSt11align_val_t"
#define ASNAP_NAME_delete_array_aligned "_ZdaPvSt11align_val_t"
#define ASNAP_NAME_delete_sized "_ZdlPvm"
#define ASNAP_NAME_delete_array_sized "_ZdaPvm"
#define ASNAP_NAME_delete_nothrow "_ZdlPvRKSt9nothrow_t"
#define ASNAP_NAME_delete_array_nothrow "_ZdaPvRKSt9nothrow_t"
#define ASNAP_NAME_delete_sized_aligned "_ZdlPvmSt11align_val_t"
#define ASNAP_NAME_delete_array_sized_aligned "_ZdaPvmSt11align_val_t"
#define ASNAP_NAME_delete_aligned_nothrow "_ZdlPvSt11align_val_tRKSt9nothrow_t"
#define ASNAP_NAME_delete_array_aligned_nothrow "_ZdaPvSt11align_val_tRKSt9nothrow_t"

#define ASNAP_OPERATORS(OPERATOR)                                                                  \
    OPERATOR(new_plain)                                                                            \
    OPERATOR(new_array)                                                                            \
    OPERATOR(new_nothrow)                                                                          \
    OPERATOR(new_array_nothrow)                                                                    \
    OPERATOR(new_aligned)                                                                          \
    OPERATOR(new_array_aligned)                                                                    \
    OPERATOR(new_aligned_nothrow)                                                                  \
    OPERATOR(new_array_aligned_nothrow)                                                            \
    OPERATOR(delete_plain)                                                                         \
    OPERATOR(delete_array)                                                                         \
    OPERATOR(delete_aligned)                                                                       \
    OPERATOR(delete_array_aligned)                                                                 \
    OPERATOR(delete_sized)                                                                         \
    OPERATOR(delete_array_sized)                                                                   \
    OPERATOR(delete_nothrow)                                                                       \
    OPERATOR(delete_array_nothrow)                                                                 \
    OPERATOR(delete_sized_aligned)                                                                 \
    OPERATOR(delete_array_sized_aligned)                                                           \
    OPERATOR(delete_aligned_nothrow)                                                               \
    OPERATOR(delete_array_aligned_nothrow)

enum {
#define ASNAP_OPERATOR_NUMBER(NAME) ASNAP_OPERATOR_##NAME,
    ASNAP_OPERATORS(ASNAP_OPERATOR_NUMBER)
#undef ASNAP_OPERATOR_NUMBER
        ASNAP_OPERATOR_COUNT
};

/* NULL where there was none at start-up. */
extern void *asnap_operators[ASNAP_OPERATOR_COUNT];

/* Finds those that are there at start-up. */
void asnap_operators_resolve(struct asnap_libraries *libraries);

/* The operator that knows what to do when memory is short: one that the caller has brought with
 * it, or that a C++ library has. NULL: there is none. */
void *asnap_operator_seen_from(const char *name, uint64_t caller);

#endif
