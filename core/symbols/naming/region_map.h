/* Which file an address of the inferior is mapped from. */
#ifndef ASNAP_SYMBOLS_REGION_MAP_H
#define ASNAP_SYMBOLS_REGION_MAP_H

#include "elf_file.h"
#include "frame_store.h"
#include "symbolizer.h"

/* A region with a file, or the vDSO. */
struct asnap_mapped {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    const char *path; /* in the store */
    bool is_vdso;
    bool is_executable;
    struct asnap_mapped *head;      /* where its file begins; NULL: not known */
    struct asnap_build_id build_id; /* at a head: of the contents in memory */
    bool has_link_start;            /* at a head: the next one is known */
    uint64_t link_start;            /* the link-time address of `start` */
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
struct asnap_mapped *asnap_region_map_find(const struct asnap_region_map *map, uint64_t address);

/* Where the call before a return address lies. */
struct asnap_pc_place {
    uint64_t pc;                           /* of the call, or within it */
    const char *path;                      /* of the file; NULL: nowhere that is known */
    const struct asnap_mapped *region;     /* the part of a file that is mapped there, or NULL */
    const struct asnap_mapped *head;       /* where that file begins; NULL: not known */
    const struct asnap_raw_module *module; /* which was there when the address was noted, or NULL */
    bool is_unloaded;                      /* the module is there no more */
    struct asnap_build_id build_id;        /* of size 0: not known, or the file has none */
};

struct asnap_pc_place asnap_region_map_place(const struct asnap_region_map *map,
                                             const struct asnap_raw_module *modules,
                                             struct asnap_pc pc);

void asnap_region_map_deinit(struct asnap_region_map *map);

#endif
