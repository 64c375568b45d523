#include "demangle.h"

#include <stdlib.h>
#include <string.h>

#include "bounded_demangle.h"
#include "error.h"
#include "rust_names.h"

/* From libiberty, whose header wants its directory in the include path. */
int cplus_demangle_v3_callback(const char *mangled, int options,
                               void (*callback)(const char *, size_t, void *), void *opaque);

/* DMGL_PARAMS and DMGL_TYPES: what __cxa_demangle asks for (Itanium C++ ABI, section 3.4). */
enum { AS_RUNTIME = 1 << 0 | 1 << 4 };

struct asnap_error *asnap_demangle(const char *symbol, char **name)
{
    /* A leading "@" would leave nothing. */
    size_t length = symbol[0] == '\0' ? 0 : 1 + strcspn(symbol + 1, "@");
    char *plain = strndup(symbol, length);
    if (plain == NULL)
        return asnap_error_no_memory();
    char *rust;
    struct asnap_error *error = asnap_rust_name(plain, &rust);
    if (error != NULL || rust != NULL) {
        free(plain);
        *name = rust;
        return error;
    }
    char *readable = NULL;
    if (strncmp(plain, "_Z", 2) == 0)
        error = asnap_demangle_bounded(cplus_demangle_v3_callback, AS_RUNTIME, plain, &readable);
    if (error != NULL || readable != NULL) {
        free(plain);
        plain = readable;
    }
    if (error != NULL)
        return error;
    *name = plain;
    return NULL;
}
