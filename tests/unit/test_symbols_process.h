/* This process itself, as the symbolizer's tests see it. */
#ifndef ASNAP_TEST_SYMBOLS_PROCESS_H
#define ASNAP_TEST_SYMBOLS_PROCESS_H

#include "allocsnap.h"

/* The regions of this process, from /proc/self/maps; the program's have own_path(). */
struct own_regions {
    struct asnap_region *regions;
    size_t count;
    size_t capacity;
};

void own_regions_init(struct own_regions *own);
void own_regions_deinit(struct own_regions *own);

/* A symbolizer with this process's regions. */
struct asnap_symbolizer *own_symbolizer(const char *debug_directories);

/* The frames of one return address. */
struct asnap_named_pc name_one(struct asnap_symbolizer *symbolizer, uint64_t return_address);

/* A path of the file that this function is in: it stays that file's when another build
 * takes its place. */
const char *own_path(void);

#endif
