/* Small ELF files, made section by section, with whatever in them. */
#ifndef ASNAP_TEST_MADE_ELF_H
#define ASNAP_TEST_MADE_ELF_H

#include <elf.h>

#include "unit.h"

struct made_section {
    const char *name;
    uint32_t type;
    uint64_t flags;
    const void *bytes;
    size_t size;
    uint64_t hole;       /* bytes that it says to have instead: nothing is there */
    uint32_t link;       /* number of another section, from 1 on */
    uint64_t entry_size; /* of a table */
    uint64_t address;
};

struct made_elf {
    int fd;
    char path[64];
};

/* A library in a file without a name, whose first section is number 1; the last one, behind
 * these, has their names. One piece of code, from address 0x1000 on, is loaded. */
void made_elf_init(struct made_elf *made, const struct made_section *sections, size_t count);
void made_elf_deinit(struct made_elf *made);

#endif
