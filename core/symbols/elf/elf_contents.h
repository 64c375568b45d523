/* Contents of sections, as far as they are really in the file.
 *
 * libelf makes room for as many bytes as a section says that it has, and a file of a few KB can
 * say that it has gigabytes: behind its end, in holes, or packed. Nothing else of the library
 * asks libelf for contents. */
#ifndef ASNAP_SYMBOLS_ELF_CONTENTS_H
#define ASNAP_SYMBOLS_ELF_CONTENTS_H

#include "elf_file.h"

/* Whether `size` bytes at `offset` are in the file, and not in holes. */
bool asnap_elf_is_there(const struct asnap_elf *elf, uint64_t offset, uint64_t size);

/* The contents of a section as libelf translates them (elf_getdata), or as they are in the file
 * (elf_rawdata). NULL where it has none, or they are not there, or `section` is NULL. */
Elf_Data *asnap_elf_data(const struct asnap_elf *elf, Elf_Scn *section);
Elf_Data *asnap_elf_raw_data(const struct asnap_elf *elf, Elf_Scn *section);

/* The symbol table of a type (SHT_SYMTAB, SHT_DYNSYM); NULL: there is none, or no file. */
Elf_Scn *asnap_elf_symbol_table(const struct asnap_elf *elf, GElf_Word type);

/* No name that anyone reads is longer: many symbols can share one that is as long as the file. */
#define ASNAP_SYMBOL_BYTES_MAX ((size_t)64 * 1024)

/* Whether the strings of section `index` can be asked for with elf_strptr. */
bool asnap_elf_has_strings(const struct asnap_elf *elf, size_t index);

/* The compression header of a section (`header`: of the section); false where it has none, or it
 * is not there: libelf reads the whole section for it. */
bool asnap_elf_packing(const struct asnap_elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                       GElf_Chdr *packing);

/* Whether a section is packed so tightly that unpacking it would take more memory than debug
 * information of its size ever does. `packing` is its compression header. */
bool asnap_elf_is_overpacked(const GElf_Shdr *header, const GElf_Chdr *packing);

#endif
