/* Makes the allocations of the code under test fail at will. The linker wraps the
 * functions (Makefile: WRAPPED); libraries in other files are untouched. */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static int64_t remaining = -1;
static bool failed;

void asnap_unit_fail_after(int64_t successes)
{
    remaining = successes;
    failed = false;
}

bool asnap_unit_failed(void)
{
    return failed;
}

static size_t requested;

size_t asnap_unit_requested(void)
{
    size_t bytes = requested;
    requested = 0;
    return bytes;
}

static _Thread_local int64_t live;
static _Thread_local int64_t most;

int64_t asnap_unit_live(void)
{
    return live;
}

int64_t asnap_unit_most(void)
{
    int64_t bytes = most;
    most = live;
    return bytes;
}

/* Counts a block that has come, or goes. */
static void *counted(void *block)
{
    live += (int64_t)malloc_usable_size(block);
    most = live > most ? live : most;
    return block;
}

static void uncount(void *block)
{
    live -= (int64_t)malloc_usable_size(block);
}

/* Counts the bytes that are asked for. */
static bool must_fail(size_t bytes)
{
    requested += bytes;
    if (remaining < 0)
        return false;
    if (remaining == 0) {
        failed = true;
        return true;
    }
    remaining--;
    return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void __real_free(void *block);
int __real_vasprintf(char **text, const char *format, va_list arguments);
FILE *__real_open_memstream(char **text, size_t *length);

void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return must_fail(size) ? NULL : counted(__real_malloc(size));
}

void __wrap_free(void *block);
void __wrap_free(void *block)
{
    uncount(block);
    __real_free(block);
}

void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return must_fail(count * size) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    if (must_fail(size))
        return NULL;
    int64_t before = (int64_t)malloc_usable_size(old);
    void *made = __real_realloc(old, size);
    if (made != NULL || size == 0)
        live -= before;
    return counted(made);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    if (must_fail(count * size))
        return NULL;
    int64_t before = (int64_t)malloc_usable_size(old);
    void *made = __real_reallocarray(old, count, size);
    if (made != NULL)
        live -= before;
    return counted(made);
}

char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return must_fail(strlen(text)) ? NULL : counted(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t length);
char *__wrap_strndup(const char *text, size_t length)
{
    return must_fail(strnlen(text, length)) ? NULL : counted(__real_strndup(text, length));
}

int __wrap_vasprintf(char **text, const char *format, va_list arguments);
int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
    if (must_fail(0))
        return -1;
    int length = __real_vasprintf(text, format, arguments);
    if (length >= 0)
        counted(*text);
    return length;
}

int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
    if (must_fail(0))
        return -1;
    va_list arguments;
    va_start(arguments, format);
    int length = __real_vasprintf(text, format, arguments);
    va_end(arguments);
    if (length >= 0)
        counted(*text);
    return length;
}

FILE *__wrap_open_memstream(char **text, size_t *length);
FILE *__wrap_open_memstream(char **text, size_t *length)
{
    return must_fail(0) ? NULL : __real_open_memstream(text, length);
}

size_t asnap_unit_sweep(struct asnap_error *(*step)(void *context), void *context)
{
    for (size_t failures = 0;; failures++) {
        asnap_unit_fail_after((int64_t)failures);
        struct asnap_error *error = step(context);
        bool did_fail = failed;
        asnap_unit_fail_after(-1);
        if (!did_fail) {
            CU_ASSERT_FATAL(asnap_unit_ok(error, __FILE__, __LINE__));
            return failures;
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        CU_ASSERT_EQUAL_FATAL(asnap_error_code(error), ASNAP_ERROR_NO_MEMORY);
        asnap_error_destroy(error);
    }
}
