/* A core file that is made part by part, for tests of what is read of one. */
#ifndef ASNAP_TEST_CORE_IMAGE_H
#define ASNAP_TEST_CORE_IMAGE_H

#include <elf.h>

#include "core_map.h"
#include "unit.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(1048576)

/* It is in a file without a name. */
struct core {
    int fd;
    char path[64];
    Elf64_Phdr *headers;
    size_t count;
    uint64_t end; /* of the contents */
};

/* Contents begin behind room for so many headers. */
void core_init(struct core *core, size_t headers_max);
void core_deinit(struct core *core);

/* Writes bytes at an offset of the file. */
void core_put(const struct core *core, uint64_t offset, const void *bytes, size_t size);

/* Writes bytes behind what there is; their offset. */
uint64_t core_append(struct core *core, const void *bytes, size_t size);

/* Adds a program header. */
void core_add(struct core *core, uint32_t type, uint64_t address, uint64_t offset, uint64_t size);

/* The head of a core with so many program headers, right behind it. */
Elf64_Ehdr core_header(size_t count);

/* Writes the head and the program headers, and reads the core. */
struct asnap_error *core_read(struct core *core, struct asnap_core_map **map);

struct notes {
    char *bytes;
    size_t size;
};

void notes_add(struct notes *notes, const char *owner, uint32_t type, const void *contents,
               size_t size);

/* Writes notes into a core, with their program header, and forgets them. */
void notes_append(struct core *core, struct notes *notes);

#endif
