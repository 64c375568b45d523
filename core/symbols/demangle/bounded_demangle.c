#include "bounded_demangle.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

struct output {
    char *text;
    size_t length;
    size_t most;
    jmp_buf too_long;
};

static void add(const char *piece, size_t length, void *context)
{
    struct output *output = context;
    if (length > output->most - output->length)
        longjmp(output->too_long, 1); /* NOLINT: there is no other way out */
    memcpy(output->text + output->length, piece, length);
    output->length += length;
}

struct asnap_error *asnap_demangle_bounded(asnap_demangler *demangler, int options,
                                           const char *symbol, char **name)
{
    *name = NULL;
    size_t most =
        ASNAP_NAME_BYTES_ALWAYS + ASNAP_NAME_RATIO_MAX * strnlen(symbol, ASNAP_NAME_BYTES_MAX);
    if (most > ASNAP_NAME_BYTES_MAX)
        most = ASNAP_NAME_BYTES_MAX;
    struct output output = {.text = malloc(most + 1), .most = most};
    if (output.text == NULL)
        return asnap_error_no_memory();
    char *volatile text = output.text;
    if (setjmp(output.too_long) != 0 || /* NOLINT: see above */
        !demangler(symbol, options, add, &output) || output.length == 0) {
        free(text);
        return NULL;
    }
    text[output.length] = '\0';
    *name = strdup(text);
    free(text);
    return *name == NULL ? asnap_error_no_memory() : NULL;
}
