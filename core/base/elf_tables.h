/* Where the header tables of an ELF file are, looked at before libelf makes room for as many
 * headers as the file says that it has. */
#ifndef ASNAP_BASE_ELF_TABLES_H
#define ASNAP_BASE_ELF_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the program headers and the section headers that an ELF file, open as `fd` and of
 * `file_bytes` bytes, says that it has are really in it (ELF gABI, chapter 4, with its extended
 * numbers of sections and segments). False also for what is no ELF file. */
bool asnap_elf_tables_are_there(int fd, uint64_t file_bytes);

#endif
