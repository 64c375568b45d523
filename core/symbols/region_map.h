/* Which file an address of the inferior is mapped from. */
#ifndef ASNAP_SYMBOLS_REGION_MAP_H
#define ASNAP_SYMBOLS_REGION_MAP_H

#include "frame_store.h"

/* A region with a file, or the vDSO. */
struct asnap_mapped {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    const char *path; /* in the store */
    bool is_vdso;
};

struct asnap_region_map {
    struct asnap_mapped *regions; /* by their start */
    size_t count;
};

/* Copies the regions that have a path, whose string it keeps in `store`. */
struct asnap_error *asnap_region_map_init(struct asnap_region_map *map,
                                          struct asnap_frame_store *store,
                                          const struct asnap_region *regions, size_t count);

/* The region that holds `address`, or NULL. Where regions overlap, the one that
 * starts last. */
const struct asnap_mapped *asnap_region_map_find(const struct asnap_region_map *map,
                                                 uint64_t address);

void asnap_region_map_deinit(struct asnap_region_map *map);

#endif
