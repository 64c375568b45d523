/* CPython's own tracemalloc, read from outside: at a breakpoint, from another process, in a core.
 */
#ifndef ALLOCSNAP_CPYTHON_H
#define ALLOCSNAP_CPYTHON_H

#include "allocsnap_snapshot.h"
#include "allocsnap_tracing.h"

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

/* CPython's own allocator of small blocks, of which objects are made: arenas from the system, cut
 * into pools, which have blocks of one size each. Those of the main interpreter; there are none
 * with PYTHONMALLOC=malloc, nor in free-threaded builds. */
struct asnap_cpython_arenas;

struct asnap_cpython_arena {
    uint64_t address;
    uint64_t size;
    uint32_t pool_size;
    uint32_t pools;       /* that it has room for */
    uint32_t used_pools;  /* that have blocks in use */
    uint32_t blocks;      /* in use */
    uint64_t size_in_use; /* bytes in blocks that are in use */
    uint64_t size_free;   /* bytes in the other blocks of pools in use */
};

/* Blocks of one size, of all arenas: element n of 16 * (n + 1) bytes. */
struct asnap_cpython_class {
    uint64_t pools;
    uint64_t blocks; /* in use */
    uint64_t free_blocks;
};

/* Reads them; there may be none. `path`: of the interpreter's file, as the memory map has it. Fails
 * with NO_MEMORY, INTERRUPTED and INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_cpython_arenas_read(const struct asnap_memory *memory, const char *path,
                          const struct asnap_region *regions, size_t region_count,
                          const struct asnap_progress *progress,
                          struct asnap_cpython_arenas **arenas);
ASNAP_API void asnap_cpython_arenas_destroy(struct asnap_cpython_arenas *arenas);

/* Lend the arenas, and the classes of sizes. */
ASNAP_API const struct asnap_cpython_arena *
asnap_cpython_arenas_list(const struct asnap_cpython_arenas *arenas, size_t *count);
ASNAP_API const struct asnap_cpython_class *
asnap_cpython_arenas_classes(const struct asnap_cpython_arenas *arenas, size_t *count);

/* Pools that cannot be read, or whose numbers contradict each other: a thread was changing them, or
 * the program has overwritten them. */
ASNAP_API uint64_t asnap_cpython_arenas_damaged(const struct asnap_cpython_arenas *arenas);

/* Adds the blocks in use to raw traces, without stacks. Fails with NO_MEMORY. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_cpython_arenas_add(const struct asnap_cpython_arenas *arenas, struct asnap_raw *raw);

#ifdef __cplusplus
}
#endif

#endif
