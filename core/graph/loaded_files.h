/* The program and its libraries, by their program headers in memory. */
#ifndef ASNAP_GRAPH_LOADED_FILES_H
#define ASNAP_GRAPH_LOADED_FILES_H

#include <elf.h>

#include "allocsnap_graph.h"

enum { ASNAP_LOADED_HEADERS_MAX = 64 };

struct asnap_loaded_file {
    uint64_t start; /* where it begins in memory */
    uint64_t bias;  /* from its addresses to those in memory */
    uint16_t machine;
    Elf64_Phdr headers[ASNAP_LOADED_HEADERS_MAX];
    size_t count;
};

/* Reads the headers of the file that begins in a region (its place among the facts'). *found
 * becomes false where none does, where it is mapped to be read only, and where they cannot be read.
 * Fails with INTERRUPTED only. */
struct asnap_error *asnap_loaded_file_read(const struct asnap_graph_facts *facts, size_t region,
                                           struct asnap_loaded_file *file, bool *found);

/* What the program runs on (EM_X86_64 ...), as the first file that is loaded says; where none can
 * be read, what this library runs on. Fails with INTERRUPTED only. */
struct asnap_error *asnap_loaded_machine(const struct asnap_graph_facts *facts, uint16_t *machine);

/* Its first program header of a type (PT_TLS ...), or NULL. */
const Elf64_Phdr *asnap_loaded_header(const struct asnap_loaded_file *file, uint32_t type);

#endif
