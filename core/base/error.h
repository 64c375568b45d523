/* Making errors. Reading them is public (allocsnap.h). */
#ifndef ASNAP_BASE_ERROR_H
#define ASNAP_BASE_ERROR_H

#include "allocsnap.h"

/* A new error with a printf-style message: one line that says what failed,
 * where, why, and what to do next; names in it need not be printable. Never NULL: where there is
 * no memory for it, it is the NO_MEMORY error. */
struct asnap_error *asnap_error_create(enum asnap_error_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

/* Says of which file an error is (copies the path), and which errno explains it, 0 where none
 * does. Returns the error, or the NO_MEMORY error in its place. */
struct asnap_error *asnap_error_of_file(struct asnap_error *error, const char *path, int number)
    __attribute__((returns_nonnull));

/* A new error with the first `size` bytes of another's message, whose names are printable. */
struct asnap_error *asnap_error_repeat(enum asnap_error_code code, const char *message, size_t size)
    __attribute__((returns_nonnull));

/* The error for a failed allocation; needs no memory. */
struct asnap_error *asnap_error_no_memory(void) __attribute__((returns_nonnull));

/* The error for a step that `progress` or a memory read stopped. */
struct asnap_error *asnap_error_interrupted(const char *step) __attribute__((returns_nonnull));

#endif
