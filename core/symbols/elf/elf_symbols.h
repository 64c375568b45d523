/* Function names from ELF symbol tables. */
#ifndef ASNAP_SYMBOLS_ELF_SYMBOLS_H
#define ASNAP_SYMBOLS_ELF_SYMBOLS_H

#include "elf_file.h"

struct asnap_symbols;

/* Reads the functions of a symbol table: .symtab of `elf`, else of `debug` (may
 * be NULL), else .dynsym of `elf` and its mini debug information (mini_debug.h). Both must outlive
 * the result. A file without symbols gives an empty table. */
struct asnap_error *asnap_symbols_create(const struct asnap_elf *elf, const struct asnap_elf *debug,
                                         struct asnap_symbols **symbols);
void asnap_symbols_destroy(struct asnap_symbols *symbols);

/* The mangled name of the function at a link-time address; NULL where there is
 * none. Of several names for one address a global one goes before a weak one
 * before a local one, then the one with fewer leading underscores, then the
 * first by strcmp of 256 bytes. A name of 64 KiB or more is none. A symbol without a size reaches
 * up to the next symbol or the end of its section, and counts only where no symbol with a size
 * does. */
const char *asnap_symbols_find(const struct asnap_symbols *symbols, uint64_t address);

#endif
