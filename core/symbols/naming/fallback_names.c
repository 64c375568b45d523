#include "fallback_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "eh_functions.h"
#include "elf_symbols.h"
#include "error.h"

struct asnap_error *asnap_fallback_by_symbol(struct asnap_fallback_names *names, uint64_t address,
                                             const char **name)
{
    struct asnap_error *error = NULL;
    if (names->elf != NULL && names->symbols == NULL)
        error = asnap_symbols_create(names->elf, names->debug, ASNAP_SYMBOLS_FUNCTIONS,
                                     &names->symbols);
    if (error != NULL || names->symbols == NULL)
        return error;
    const char *symbol = asnap_symbols_find(names->symbols, address);
    if (symbol == NULL || (*name != NULL && strncmp(symbol, "_Z", 2) != 0))
        return NULL;
    char *readable;
    error = asnap_demangle(symbol, &readable);
    if (error != NULL)
        return error;
    error = asnap_frame_store_string(names->store, readable, name);
    free(readable);
    return error;
}

struct asnap_error *asnap_fallback_by_offset(struct asnap_fallback_names *names, const char *module,
                                             uint64_t address, const char **name)
{
    struct asnap_error *error = NULL;
    if (names->elf != NULL && names->bounds == NULL)
        error = asnap_eh_functions_create(names->elf, &names->bounds);
    if (error != NULL)
        return error;
    uint64_t start =
        names->bounds == NULL ? address : asnap_eh_functions_start(names->bounds, address);
    const char *slash = strrchr(module, '/');
    char *text;
    if (asprintf(&text, "%s+0x%" PRIx64, slash == NULL ? module : slash + 1, start) < 0)
        return asnap_error_no_memory();
    error = asnap_frame_store_string(names->store, text, name);
    free(text);
    return error;
}

void asnap_fallback_names_deinit(struct asnap_fallback_names *names)
{
    asnap_symbols_destroy(names->symbols);
    asnap_eh_functions_destroy(names->bounds);
}
