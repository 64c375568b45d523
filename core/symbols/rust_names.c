#include "rust_names.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/* From libiberty, whose header wants its directory in the include path. It keeps nothing
 * that was allocated while it calls back. */
int rust_demangle_callback(const char *mangled, int options,
                           void (*callback)(const char *, size_t, void *), void *opaque);

/* Back references make a short symbol as long as one likes. */
#define NAME_BYTES_MAX ((size_t)16 * 1024)

struct output {
    char *text;
    size_t length;
    jmp_buf too_long;
};

static void add(const char *piece, size_t length, void *context)
{
    struct output *output = context;
    if (length > NAME_BYTES_MAX - output->length)
        longjmp(output->too_long, 1); /* NOLINT: there is no other way out */
    memcpy(output->text + output->length, piece, length);
    output->length += length;
}

struct asnap_error *asnap_rust_name(const char *symbol, char **name)
{
    *name = NULL;
    /* Of the older form ("_ZN...17h<hash>E"), and of the newer one. */
    if (strncmp(symbol, "_R", 2) != 0 &&
        (strncmp(symbol, "_ZN", 3) != 0 || strstr(symbol, "17h") == NULL))
        return NULL;
    struct output output = {.text = malloc(NAME_BYTES_MAX + 1)};
    if (output.text == NULL)
        return asnap_error_no_memory();
    char *volatile text = output.text;
    if (setjmp(output.too_long) != 0 || /* NOLINT: see above */
        !rust_demangle_callback(symbol, 0, add, &output) || output.length == 0) {
        free(text);
        return NULL;
    }
    text[output.length] = '\0';
    *name = strdup(text);
    free(text);
    return *name == NULL ? asnap_error_no_memory() : NULL;
}
