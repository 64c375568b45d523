/* Where tracemalloc's tables are in an interpreter. */
#ifndef ASNAP_CPYTHON_PY_TABLES_H
#define ASNAP_CPYTHON_PY_TABLES_H

#include "allocsnap_cpython.h"
#include "py_table.h"

/* tracemalloc's state as words of memory give it, before it is believed. */
struct asnap_py_state {
    uint64_t traces; /* where the tables are */
    uint64_t domains;
    uint64_t traced_size;
    uint64_t peak_size;
    bool is_tracing;
    uint32_t frame_limit;
    uint64_t lock; /* as it is in memory */
};

/* Looks for the state of 3.12 and later in [start, end) of memory (struct
 * _tracemalloc_runtime_state, in _PyRuntime): its place there is another one in each release and
 * build, and what it is made of is the same from 3.12 to 3.14. */
struct asnap_error *asnap_py_state_find(const struct asnap_py_memory *py, uint64_t start,
                                        uint64_t end, struct asnap_py_state *state, bool *found);

/* Looks for the pointers to the tables of 3.11 and earlier in [start, end): four file statics that
 * the compiler has laid near each other. `holds_copies`: of 3.8. Sets traces and domains. */
struct asnap_error *asnap_py_statics_find(const struct asnap_py_memory *py, uint64_t start,
                                          uint64_t end, bool holds_copies,
                                          struct asnap_py_state *state, bool *found);

/* Looks at each writable piece of a file in memory, and the zeros behind it, until `look` finds
 * something. */
typedef struct asnap_error *asnap_py_look(void *context, uint64_t start, uint64_t end, bool *found);
struct asnap_error *asnap_py_each_part(const struct asnap_py_memory *py, const char *path,
                                       asnap_py_look *look, void *context, bool *found);

#endif
