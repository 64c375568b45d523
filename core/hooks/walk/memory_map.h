/* The process's own memory map, as the kernel tells it: for what the dynamic linker does
 * not say without a lock. */
#ifndef ASNAP_HOOKS_MEMORY_MAP_H
#define ASNAP_HOOKS_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

enum { ASNAP_MEMORY_MAP_PATH_BYTES = 4096 };

/* A file that is mapped in one or more pieces. */
struct asnap_mapped_file {
    uint64_t start; /* of its first piece, the one with the file's beginning */
    char path[ASNAP_MEMORY_MAP_PATH_BYTES];
};

/* Finds the file that is mapped at `address` (also "[vdso]"), with one pass over
 * /proc/self/maps. False: none is, or the map cannot be read. */
bool asnap_memory_map_find(uint64_t address, struct asnap_mapped_file *file);

#endif
