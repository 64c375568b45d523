/* AddressSanitizer's runtime library (gcc's, or clang's with -shared-libsan) ends a program in
 * which another library comes before it. The hooks do by right: they pass every call on to it. It
 * asks for options by a function that anyone may define (sanitizer_common_interface). */
#include <string.h>

#include "interpose.h"
#include "lock.h"

enum { OPTIONS_BYTES = 1024 };

static char options[OPTIONS_BYTES] = "verify_asan_link_order=0:";

const char *__asan_default_options(void);

/* With those of the definition that would be asked without the hooks. */
ASNAP_EXPORT const char *__asan_default_options(void)
{
    struct asnap_libraries libraries;
    asnap_libraries_open(&libraries, !asnap_is_alone());
    void *found = asnap_symbol_next(&libraries, "__asan_default_options");
    asnap_libraries_close(&libraries);
    if (found == NULL)
        return options;
    const char *(*next)(void);
    memcpy(&next, &found, sizeof(next));
    const char *others = next();
    size_t used = strlen("verify_asan_link_order=0:");
    size_t length = others == NULL ? OPTIONS_BYTES : strlen(others);
    if (length < OPTIONS_BYTES - used)
        memcpy(options + used, others, length + 1);
    return options;
}
