#include "demangle.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "rust_names.h"

/* From the C++ runtime library (Itanium C++ ABI, section 3.4). */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

#define DEMANGLE_NO_MEMORY (-1)

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
    if (strncmp(plain, "_Z", 2) == 0) {
        int status = 0;
        char *readable = __cxa_demangle(plain, NULL, NULL, &status);
        if (readable != NULL || status == DEMANGLE_NO_MEMORY) {
            free(plain);
            plain = readable;
        }
    }
    if (plain == NULL)
        return asnap_error_no_memory();
    *name = plain;
    return NULL;
}
