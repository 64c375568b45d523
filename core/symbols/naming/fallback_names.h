/* Names of functions where debug information has none: by a symbol, or else by where in its file
 * the function begins. */
#ifndef ASNAP_SYMBOLS_FALLBACK_NAMES_H
#define ASNAP_SYMBOLS_FALLBACK_NAMES_H

#include "elf_file.h"
#include "frame_store.h"

struct asnap_symbols;
struct asnap_eh_functions;

/* The files are read when they are first needed, and stay the caller's. */
struct asnap_fallback_names {
    struct asnap_frame_store *store; /* for the names */
    const struct asnap_elf *elf;     /* NULL: there is no file */
    const struct asnap_elf *debug;   /* NULL: none */
    struct asnap_symbols *symbols;
    struct asnap_eh_functions *bounds;
};

/* Names the function at a link-time address by the symbol tables. Where `name` is not NULL,
 * only a C++ name replaces it. */
struct asnap_error *asnap_fallback_by_symbol(struct asnap_fallback_names *names, uint64_t address,
                                             const char **name);

/* "MODULE+0xOFFSET": the last part of the module's path, and the link-time address where the
 * function begins by its unwind information, which stripped files have, too; else `address`. */
struct asnap_error *asnap_fallback_by_offset(struct asnap_fallback_names *names, const char *module,
                                             uint64_t address, const char **name);

void asnap_fallback_names_deinit(struct asnap_fallback_names *names);

#endif
