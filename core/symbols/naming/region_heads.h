/* Where mapped files begin in memory, and which builds of them they are. */
#ifndef ASNAP_SYMBOLS_REGION_HEADS_H
#define ASNAP_SYMBOLS_REGION_HEADS_H

#include "region_map.h"

/* Reads the first `size` bytes of a region into `image`, which is NULL where they cannot be read;
 * free() it. `memory` may be NULL. Fails with NO_MEMORY or INTERRUPTED. */
struct asnap_error *asnap_region_image(const struct asnap_memory *memory,
                                       const struct asnap_mapped *region, uint64_t size,
                                       char **image);

/* Finds the head of each region, and the build IDs of those of executable ones, by the program
 * headers in memory. Segments that share a page of the file are several mappings with offset 0,
 * so offsets alone do not tell. Fails with NO_MEMORY or INTERRUPTED. */
struct asnap_error *asnap_region_heads_find(struct asnap_region_map *map,
                                            const struct asnap_memory *memory);

#endif
