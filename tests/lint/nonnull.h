/* For clang-tidy alone: its analyzer takes no notice of returns_nonnull, and would
 * follow paths on which a failure is a success. */
#ifndef ASNAP_LINT_NONNULL_H
#define ASNAP_LINT_NONNULL_H

#include "error.h"

static inline struct asnap_error *asnap_lint_nonnull(struct asnap_error *error)
{
    if (error == NULL)
        __builtin_unreachable();
    return error;
}

#define asnap_error_create(...) asnap_lint_nonnull(asnap_error_create(__VA_ARGS__))
#define asnap_error_no_memory() asnap_lint_nonnull(asnap_error_no_memory())
#define asnap_error_interrupted(step) asnap_lint_nonnull(asnap_error_interrupted(step))

#endif
