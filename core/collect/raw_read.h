/* The parts that every reading of a table begins with. */
#ifndef ASNAP_COLLECT_RAW_READ_H
#define ASNAP_COLLECT_RAW_READ_H

#include "allocsnap_table.h"
#include "nodes.h"
#include "raw.h"
#include "read.h"

/* Reads the root, and makes an asnap_raw of what it says, without blocks and lists. Fails as
 * asnap_raw_read does. */
struct asnap_error *asnap_raw_begin(const struct asnap_memory *memory, uint64_t root_address,
                                    struct asnap_table_root *root, struct asnap_raw **raw);

/* Reads the lists of threads, modules and nodes (asnap_nodes_read). */
struct asnap_error *asnap_raw_lists(struct asnap_inferior *inferior,
                                    const struct asnap_table_root *root, bool moving,
                                    struct asnap_node_places *places, struct asnap_raw *raw);

/* Adds a node without frames, for stacks that are not known; says where. */
struct asnap_error *asnap_raw_add_origin(struct asnap_raw *raw, uint32_t *place);

/* Reads a structure behind the root (allocsnap_table.h), of `bytes`, that begins with `magic`, its
 * own size and that of an item: all zero where there is none such, as of hooks of another release.
 * `what` names it. */
struct asnap_error *asnap_raw_beside(const struct asnap_memory *memory, uint64_t address,
                                     void *structure, size_t bytes, const char magic[16],
                                     size_t item_bytes, const char *what);

/* Reads items of such a structure, which count as bytes of the table. Those that cannot be read are
 * zeros, and counted in raw->unreadable_bytes. */
struct asnap_error *asnap_raw_items(struct asnap_inferior *inferior, uint64_t address, void *items,
                                    size_t bytes, const char *what, struct asnap_raw *raw);

/* Reads what the hooks say of freed blocks: all zero where they keep none, or are of a release that
 * cannot. Fails with DAMAGED where that cannot be true. */
struct asnap_error *asnap_freed_ring(const struct asnap_memory *memory, uint64_t root_address,
                                     struct asnap_table_freed *ring);

#endif
