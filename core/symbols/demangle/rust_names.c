#include "rust_names.h"

#include <string.h>

#include "bounded_demangle.h"

/* From libiberty, whose header wants its directory in the include path. */
int rust_demangle_callback(const char *mangled, int options,
                           void (*callback)(const char *, size_t, void *), void *opaque);

struct asnap_error *asnap_rust_name(const char *symbol, char **name)
{
    *name = NULL;
    /* Of the older form ("_ZN...17h<hash>E"), and of the newer one. */
    if (strncmp(symbol, "_R", 2) != 0 &&
        (strncmp(symbol, "_ZN", 3) != 0 || strstr(symbol, "17h") == NULL))
        return NULL;
    return asnap_demangle_bounded(rust_demangle_callback, 0, symbol, name);
}
