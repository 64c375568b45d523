/* Names that blocks go by: which class the C++ object in a block is of, or what owns a block. */
#ifndef ASNAP_MODEL_BLOCK_TYPES_H
#define ASNAP_MODEL_BLOCK_TYPES_H

#include "error.h"

struct asnap_store;

struct asnap_types {
    uint64_t
        *addresses;    /* of the blocks that begin with a vtable pointer, or are owned; ascending */
    uint32_t *numbers; /* the class of each, or its owner */
    size_t count;
    uint32_t *of_tracebacks; /* of the objects that each traceback's call allocates, where nothing
                                in them tells it; ASNAP_NONE: not known. NULL: of owners */
    char **names;            /* of the classes or owners, in order, each once */
    uint32_t name_count;
};

/* Makes them of `count` blocks in order of address; vtables[i] is a number below vtable_count, and
 * names[vtables[i]] the name of its class, NULL where it is no vtable. `store` tells what the
 * frames of its tracebacks allocate; NULL: that is not asked, as of owners. Copies all. Fails with
 * NO_MEMORY only. */
struct asnap_error *asnap_types_create(const struct asnap_store *store, const uint64_t *addresses,
                                       const uint32_t *vtables, size_t count,
                                       const char *const *names, uint32_t vtable_count,
                                       struct asnap_types **types);
void asnap_types_destroy(struct asnap_types *types);

/* The class of what is in a block, or its owner; ASNAP_NONE: not known, or none. */
uint32_t asnap_types_of(const struct asnap_types *types, const struct asnap_trace *trace);

struct asnap_typed {
    uint64_t address;
    uint32_t number;
};

/* Those of `count` blocks whose class is known, in order of address; of several at one address the
 * class with the first name. The caller frees *typed. Fails with NO_MEMORY only. */
struct asnap_error *asnap_types_list(const struct asnap_types *types,
                                     const struct asnap_trace *traces, size_t count,
                                     struct asnap_typed **typed, size_t *typed_count);

#endif
