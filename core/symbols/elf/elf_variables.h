/* Names of variables from ELF symbol tables. */
#ifndef ASNAP_SYMBOLS_ELF_VARIABLES_H
#define ASNAP_SYMBOLS_ELF_VARIABLES_H

#include "elf_file.h"

/* Finds the variable that holds a link-time address, or where `is_thread_local` an offset in the
 * PT_TLS segment: in .symtab of `elf`, else of `debug` (may be NULL), else in .dynsym of `elf`. Of
 * several the smallest counts, then a global one, then the first. The strings are of the files;
 * variable->name is NULL where there is none. */
void asnap_elf_variable(const struct asnap_elf *elf, const struct asnap_elf *debug, uint64_t place,
                        bool is_thread_local, struct asnap_variable *variable);

#endif
