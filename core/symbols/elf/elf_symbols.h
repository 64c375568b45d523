/* Names of functions and data from ELF symbol tables. */
#ifndef ASNAP_SYMBOLS_ELF_SYMBOLS_H
#define ASNAP_SYMBOLS_ELF_SYMBOLS_H

#include "elf_file.h"

struct asnap_symbols;

enum asnap_symbol_kinds {
    ASNAP_SYMBOLS_FUNCTIONS,
    ASNAP_SYMBOLS_ALL, /* data too, but not what is thread-local or absolute */
};

/* Reads a symbol table: .symtab of `elf`, else of `debug` (may
 * be NULL), else .dynsym of `elf` and its mini debug information (mini_debug.h). Both must outlive
 * the result. A file without symbols gives an empty table. */
struct asnap_error *asnap_symbols_create(const struct asnap_elf *elf, const struct asnap_elf *debug,
                                         enum asnap_symbol_kinds kinds,
                                         struct asnap_symbols **symbols);
void asnap_symbols_destroy(struct asnap_symbols *symbols);

/* The mangled name of what is at a link-time address; NULL where there is
 * none. Of several names for one address a global one goes before a weak one
 * before a local one, then the one with fewer leading underscores, then the
 * first by strcmp of 256 bytes. A name of 64 KiB or more is none. A symbol without a size reaches
 * up to the next symbol or the end of its section, and counts only where no symbol with a size
 * does. */
const char *asnap_symbols_find(const struct asnap_symbols *symbols, uint64_t address);

struct asnap_symbol {
    const char *name; /* mangled */
    uint64_t address;
    uint64_t size; /* 0: not said */
    bool is_function;
    bool is_local;
};

/* The same as a symbol. false: there is none. */
bool asnap_symbols_at(const struct asnap_symbols *symbols, uint64_t address,
                      struct asnap_symbol *symbol);

/* All of them, by address: those of one address in the order of preference. */
size_t asnap_symbols_count(const struct asnap_symbols *symbols);
void asnap_symbols_get(const struct asnap_symbols *symbols, size_t index,
                       struct asnap_symbol *symbol);

#endif
