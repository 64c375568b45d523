/* Which class the C++ object in a block is of. */
#ifndef ASNAP_MODEL_BLOCK_TYPES_H
#define ASNAP_MODEL_BLOCK_TYPES_H

#include "error.h"

struct asnap_types {
    uint64_t *addresses; /* of the blocks that hold an object of a class, ascending */
    uint32_t *numbers;   /* its class */
    size_t count;
    char **names; /* of the classes, in order, each once */
    uint32_t name_count;
};

/* Makes them of `count` blocks in order of address; vtables[i] is a number below vtable_count, and
 * names[vtables[i]] the name of its class, NULL where it is no vtable. Copies all. Fails with
 * NO_MEMORY only. */
struct asnap_error *asnap_types_create(const uint64_t *addresses, const uint32_t *vtables,
                                       size_t count, const char *const *names,
                                       uint32_t vtable_count, struct asnap_types **types);
void asnap_types_destroy(struct asnap_types *types);

/* Where an address is among `addresses`; `count`: it is not. */
size_t asnap_types_place(const struct asnap_types *types, uint64_t address);

/* The class of the block at an address; ASNAP_NONE: it holds no object of a class. */
uint32_t asnap_types_of(const struct asnap_types *types, uint64_t address);

#endif
