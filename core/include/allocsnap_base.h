/* What every part of liballocsnap's interface needs: the version, errors, strings. */
#ifndef ALLOCSNAP_BASE_H
#define ALLOCSNAP_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ASNAP_API __attribute__((visibility("default")))
#define ASNAP_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ASNAP_API
#define ASNAP_MUST_CHECK
#endif

/* The version of this library, "MAJOR.MINOR.PATCH". */
ASNAP_API const char *asnap_version(void);

enum asnap_error_code {
    ASNAP_ERROR_NO_MEMORY = 1,    /* this process is out of memory */
    ASNAP_ERROR_INVALID_ARGUMENT, /* the caller's mistake */
    ASNAP_ERROR_NO_HOOKS,         /* no table: the program runs without the hooks */
    ASNAP_ERROR_NOT_TRACING,      /* the hooks are there, tracing is off */
    ASNAP_ERROR_UNREADABLE,       /* the inferior's memory could not be read */
    ASNAP_ERROR_DAMAGED,          /* the table or file contradicts itself */
    ASNAP_ERROR_VERSION,          /* written by another version */
    ASNAP_ERROR_UNSUPPORTED,      /* a program of a kind that is not supported */
    ASNAP_ERROR_INTERRUPTED,      /* the caller asked to stop */
    ASNAP_ERROR_IO,               /* a file could not be read or written */
};

struct asnap_error;

/* What kind of failure; `error` is not NULL. */
ASNAP_API enum asnap_error_code asnap_error_code(const struct asnap_error *error);

/* One line without a newline: what failed, where, why, and what to do next. */
ASNAP_API const char *asnap_error_message(const struct asnap_error *error);

/* The errno of the system call that failed; 0 where none did. */
ASNAP_API int asnap_error_errno(const struct asnap_error *error);

/* The file that the error is of; NULL where it is of none. */
ASNAP_API const char *asnap_error_path(const struct asnap_error *error);

ASNAP_API void asnap_error_destroy(struct asnap_error *error);

/* Takes back a text that a function has made; NULL is accepted. */
ASNAP_API void asnap_string_destroy(char *text);

#ifdef __cplusplus
}
#endif

#endif
