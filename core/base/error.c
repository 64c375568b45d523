#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"

struct asnap_error {
    enum asnap_error_code code;
    char *message;
    char *path; /* NULL: it is of no file */
    int number; /* an errno; 0: none */
};

static struct asnap_error no_memory_error = {
    .code = ASNAP_ERROR_NO_MEMORY,
    .message = (char *)"out of memory in the debugger: close what is not needed and try again",
};

struct asnap_error *asnap_error_no_memory(void)
{
    return &no_memory_error;
}

/* Takes over a message, which may hold names from anywhere. */
static struct asnap_error *create(enum asnap_error_code code, char *message,
                                  enum asnap_printable_kind kind)
{
    struct asnap_error *error = calloc(1, sizeof(*error));
    char *printable = message == NULL ? NULL : asnap_printable(message, kind);
    free(message);
    if (error == NULL || printable == NULL) {
        free(error);
        free(printable);
        return &no_memory_error;
    }
    error->code = code;
    error->message = printable;
    return error;
}

struct asnap_error *asnap_error_create(enum asnap_error_code code, const char *format, ...)
{
    char *message;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&message, format, arguments);
    va_end(arguments);
    return create(code, length < 0 ? NULL : message, ASNAP_PRINTABLE_NAME);
}

struct asnap_error *asnap_error_repeat(enum asnap_error_code code, const char *message, size_t size)
{
    return create(code, strndup(message, size), ASNAP_PRINTABLE_TEXT);
}

struct asnap_error *asnap_error_of_file(struct asnap_error *error, const char *path, int number)
{
    if (error == &no_memory_error)
        return error;
    char *copy = strdup(path);
    if (copy == NULL) {
        asnap_error_destroy(error);
        return &no_memory_error;
    }
    free(error->path);
    error->path = copy;
    error->number = number;
    return error;
}

struct asnap_error *asnap_error_interrupted(const char *step)
{
    return asnap_error_create(ASNAP_ERROR_INTERRUPTED,
                              "interrupted while %s: nothing was kept; run the command again",
                              step);
}

enum asnap_error_code asnap_error_code(const struct asnap_error *error)
{
    return error->code;
}

const char *asnap_error_message(const struct asnap_error *error)
{
    return error->message;
}

int asnap_error_errno(const struct asnap_error *error)
{
    return error->number;
}

const char *asnap_error_path(const struct asnap_error *error)
{
    return error->path;
}

void asnap_error_destroy(struct asnap_error *error)
{
    if (error == NULL || error == &no_memory_error)
        return;
    free(error->message);
    free(error->path);
    free(error);
}
