/* The process's own memory map, as the kernel tells it: for what the dynamic linker does
 * not say without a lock. */
#ifndef ASNAP_HOOKS_MEMORY_MAP_H
#define ASNAP_HOOKS_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

enum { ASNAP_MEMORY_MAP_PATH_BYTES = 4096 };

/* One mapping of a file. A file has several: their offsets do not tell which of its segments
 * each is, since segments can share a page of the file. */
struct asnap_mapped_file {
    uint64_t start;
    uint64_t end;
    uint64_t offset;     /* of `start` in the file */
    uint64_t first_page; /* a readable mapping of the file's first page, the nearest one at or
                            below `start`, else above; 0: there is none */
    char path[ASNAP_MEMORY_MAP_PATH_BYTES];
};

/* Finds the first mapping of a file (also "[vdso]") in [low, high), with one pass over
 * /proc/self/maps. False: there is none, or the map cannot be read. */
bool asnap_memory_map_find(uint64_t low, uint64_t high, struct asnap_mapped_file *file);

/* Whether code can run at `address`; also true where the map cannot be read. */
bool asnap_memory_map_is_executable(uint64_t address);

/* What may be done with the memory at `address`, as mmap(2) has it. False: nothing is mapped there,
 * or the map cannot be read. */
bool asnap_memory_map_protection(uint64_t address, int *protection);

#endif
