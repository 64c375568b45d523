/* CPython's own tracemalloc, read from outside: at a breakpoint, from another process, in a core.
 */
#ifndef ALLOCSNAP_CPYTHON_H
#define ALLOCSNAP_CPYTHON_H

#include "allocsnap_snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What symbols say of an interpreter; 0 where a symbol is not known. Fewer will do: what none leads
 * to is looked for in the writable memory of the interpreter's file, by what must hold of it. */
struct asnap_cpython_symbols {
    const char *path; /* of the file that holds the interpreter, as the memory map has it; NULL */
    uint64_t runtime; /* _PyRuntime, which holds tracemalloc's state from 3.12 on */
    uint64_t runtime_size; /* its size in bytes */
    uint64_t version;      /* Py_Version (3.11 and later) */
    uint64_t config;       /* _Py_tracemalloc_config (until 3.11, as all that follow) */
    uint64_t traces;       /* tracemalloc_traces */
    uint64_t domains;      /* tracemalloc_domains (3.9 and later) */
    uint64_t lock;         /* tables_lock */
    uint64_t traced;       /* tracemalloc_traced_memory */
    uint64_t peak;         /* tracemalloc_peak_traced_memory */
};

#define ASNAP_CPYTHON_UNKNOWN UINT64_MAX

/* An interpreter, and what its tracemalloc says of itself. */
struct asnap_cpython {
    char name[40];        /* "CPython 3.11.2"; "CPython" where the version is not known */
    uint32_t version;     /* as PY_VERSION_HEX; without what follows the minor version where only
                             that is known, 0 where nothing is */
    bool free_threaded;   /* built without the GIL */
    bool locked;          /* a thread holds the lock of the tables: it was changing them */
    uint32_t frame_limit; /* tracemalloc.get_traceback_limit() */
    uint64_t traced_size; /* tracemalloc.get_traced_memory(), ASNAP_CPYTHON_UNKNOWN: not known */
    uint64_t peak_size;
    uint64_t traces;  /* where the table of the domain 0 is */
    uint64_t domains; /* that of the others; 0: there is none */
};

/* Finds the interpreter and its tables. `regions` is the whole memory map, sorted by address.
 * Fails with NOT_TRACING where tracemalloc does not trace, UNSUPPORTED where the tables of this
 * build cannot be found, UNREADABLE, DAMAGED, INTERRUPTED. `progress` may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_cpython_find(const struct asnap_memory *memory, const struct asnap_cpython_symbols *symbols,
                   const struct asnap_region *regions, size_t region_count,
                   const struct asnap_progress *progress, struct asnap_cpython *found);

/* Reads its traces, as tracemalloc.take_snapshot() has them: frames are Python's, by file and line,
 * and have no function. Notes say what is missing, first the caller's own. DAMAGED where the tables
 * contradict themselves. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_cpython_snapshot(const struct asnap_memory *memory, const struct asnap_cpython *cpython,
                       const struct asnap_region *regions, size_t region_count,
                       const char *const *notes, size_t note_count,
                       const struct asnap_progress *progress, struct asnap_snapshot **snapshot);

#ifdef __cplusplus
}
#endif

#endif
