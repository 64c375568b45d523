/* For clang-tidy alone: its analyzer takes no notice of returns_nonnull, and would
 * follow paths on which a failure is a success. */
#ifndef ASNAP_LINT_NONNULL_H
#define ASNAP_LINT_NONNULL_H

#include "error.h"

/* No function: the analyzer does not look into the sixth one that a path enters. */
#define ASNAP_LINT_NONNULL(ERROR)                                                                  \
    ({                                                                                             \
        struct asnap_error *asnap_lint_error = (ERROR);                                            \
        if (asnap_lint_error == NULL)                                                              \
            __builtin_unreachable();                                                               \
        asnap_lint_error;                                                                          \
    })

#define asnap_error_create(...) ASNAP_LINT_NONNULL(asnap_error_create(__VA_ARGS__))
#define asnap_error_no_memory() ASNAP_LINT_NONNULL(asnap_error_no_memory())
#define asnap_error_interrupted(step) ASNAP_LINT_NONNULL(asnap_error_interrupted(step))

#endif
