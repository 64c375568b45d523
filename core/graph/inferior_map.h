/* The inferior's memory map, and small pieces of its memory. */
#ifndef ASNAP_GRAPH_INFERIOR_MAP_H
#define ASNAP_GRAPH_INFERIOR_MAP_H

#include "allocsnap_graph.h"

/* Copies `size` bytes; *read says whether they could be read. What was never written to is zeros,
 * and not read. Fails with INTERRUPTED only. */
struct asnap_error *asnap_inferior_copy(const struct asnap_graph_facts *facts, uint64_t address,
                                        void *bytes, size_t size, bool *read);

/* The region that holds an address; NULL: none does. */
const struct asnap_region *asnap_inferior_region(const struct asnap_graph_facts *facts,
                                                 uint64_t address);

/* Whether a region is of a file, and not of what the kernel gives a name. */
bool asnap_region_is_file(const struct asnap_region *region);

/* Whether it can be searched for pointers: readable and writable, and neither of the kernel nor a
 * device. */
bool asnap_region_is_data(const struct asnap_region *region);

/* Whether it is named so: "[stack]". */
bool asnap_region_is(const struct asnap_region *region, const char *name);

#endif
