/* CPython's hash table of C (_Py_hashtable_t): a list of entries for each bucket. Until 3.8
 * (Modules/hashtable.h) an entry holds copies of its key and its data, from 3.9 on
 * (pycore_hashtable.h) a pointer for each. */
#ifndef ASNAP_CPYTHON_PY_TABLE_H
#define ASNAP_CPYTHON_PY_TABLE_H

#include "py_gather.h"

/* The functions that a table of 3.9 and later calls. */
enum asnap_py_function {
    ASNAP_PY_GET_ENTRY,
    ASNAP_PY_HASH,
    ASNAP_PY_COMPARE,
    ASNAP_PY_DESTROY_KEY,
    ASNAP_PY_DESTROY_VALUE,
    ASNAP_PY_MALLOC,
    ASNAP_PY_FREE,
    ASNAP_PY_FUNCTIONS,
};

struct asnap_py_table {
    uint64_t address;
    uint64_t entry_count;
    uint64_t bucket_count; /* a power of two */
    uint64_t buckets;      /* where they are */
    bool holds_copies;     /* of 3.8 */
    uint64_t functions[ASNAP_PY_FUNCTIONS];
    uint32_t key_size; /* bytes of the key, and of the data, behind the head of an entry */
    uint32_t data_size;
};

/* Reads the head of a table; *is_table becomes whether there is one: its numbers are those of a
 * table, and its functions are code. Fails with INTERRUPTED only. */
struct asnap_error *asnap_py_table_read(const struct asnap_py_memory *py, uint64_t address,
                                        bool holds_copies, struct asnap_py_table *table,
                                        bool *is_table);

/* What was met on the way through a table that may be half written. */
struct asnap_py_walk {
    uint64_t visited;
    uint64_t misplaced;  /* entries that belong to another bucket: the table was being resized */
    uint64_t unreadable; /* entries, which end their lists */
    bool is_endless;     /* there are many more entries than the table says */
};

/* Is handed the key of an entry and the data behind it, of 3.9 and later two pointers, and what is
 * around the entry. */
typedef struct asnap_error *asnap_py_visitor(void *context, const uint8_t *key, const uint8_t *data,
                                             const struct asnap_py_window *window);

/* Visits the entries, in no order. Adds to `walk`. Fails with NO_MEMORY, INTERRUPTED, UNREADABLE
 * (the buckets), or as `visit` does. */
struct asnap_error *asnap_py_table_walk(const struct asnap_py_memory *py,
                                        const struct asnap_py_table *table, const char *step,
                                        asnap_py_visitor *visit, void *context,
                                        struct asnap_py_walk *walk);

#endif
