/* The symbols of one file that the dynamic linker has loaded, read where its tables are mapped. */
#ifndef ASNAP_HOOKS_FILE_SYMBOLS_H
#define ASNAP_HOOKS_FILE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "readable.h"

/* A file, with the tables that its dynamic section tells of (gABI, Dynamic Section; addresses,
 * 0 for what it lacks). */
struct asnap_library {
    uint64_t link; /* its struct link_map */
    uint64_t bias; /* from addresses in the file to those in memory */
    uint64_t name; /* its path, as the linker knows it */
    uint64_t dynamic;
    uint64_t strings;
    uint64_t symbols;
    uint64_t versions;
    uint64_t hash;
    uint64_t gnu_hash;
    uint64_t soname;      /* place of the name in the strings */
    uint64_t relocations; /* Elf_Rela: those that are made when it is loaded */
    uint64_t relocation_bytes;
    uint64_t jumps; /* Elf_Rela: those of the procedure linkage table */
    uint64_t jump_bytes;
    bool is_hooks; /* a copy of the hooks, of this version or another */
    bool queued;   /* asnap_symbol_seen_from comes to it, or has */
    uint32_t next; /* in that queue, the place of which file; `count` at the end */
};

/* A symbol that is looked for. */
struct asnap_wanted {
    const char *name;
    size_t name_bytes; /* with its end */
    uint32_t gnu_hash;
    uint32_t hash;
    bool is_entry; /* what is wanted is not the definition, but the entry of the procedure linkage
                      table by which a program that is not position-independent calls it, and
                      which is the function's address for all */
    bool also_hidden; /* versions that programs which are linked now do not find */
    uint64_t bytes;   /* the size of what was found last; 0: it is not known */
    uint64_t entry;   /* where its ElfW(Sym) lies */
    bool is_indirect; /* it is an indirect function */
};

/* `name` must live as long; its other members are the caller's to set. */
struct asnap_wanted asnap_wanted_symbol(const char *name);

/* The address of a symbol that is defined in a file; of an indirect function (STT_GNU_IFUNC) what
 * it resolves to. NULL: it defines none. */
void *asnap_file_symbol(struct asnap_known_pages *known, const struct asnap_library *library,
                        struct asnap_wanted *wanted);

#endif
