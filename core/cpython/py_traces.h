/* What tracemalloc's tables hold: traces, and the tracebacks that they lead to. */
#ifndef ASNAP_CPYTHON_PY_TRACES_H
#define ASNAP_CPYTHON_PY_TRACES_H

#include "allocsnap_cpython.h"
#include "py_table.h"

struct asnap_py_traces {
    struct asnap_trace *traces; /* traceback_id: a place among the tracebacks */
    size_t count;
    size_t capacity;
    uint64_t size;        /* bytes in all of them */
    uint64_t *tracebacks; /* addresses, each once */
    size_t traceback_count;
    size_t traceback_capacity;
    struct asnap_py_walk walk;
    uint64_t entry_count; /* that the tables say they have */
    uint64_t unreadable;  /* traces whose size or traceback cannot be read, left out */
    uint64_t bad_sizes;   /* traces of sizes that no block has, which are left out */
    uint64_t bad_tables;  /* of domains */
    uint64_t repeated;    /* traces that were met with more than once */
};

/* Reads the traces of all domains. Whatever comes of it, the caller ends with
 * asnap_py_traces_deinit. */
struct asnap_error *asnap_py_traces_read(const struct asnap_py_memory *py,
                                         const struct asnap_cpython *cpython,
                                         struct asnap_py_traces *traces);
void asnap_py_traces_deinit(struct asnap_py_traces *traces);

/* A frame: a file name's place among the names, and a line. */
struct asnap_py_frame {
    uint32_t name;
    uint32_t line;
};

struct asnap_py_stack {
    size_t first; /* of its frames, the most recent */
    uint32_t count;
    uint32_t total; /* or ASNAP_TOTAL_UNKNOWN */
};

struct asnap_py_stacks {
    struct asnap_py_stack *stacks; /* by place among the tracebacks; a count of 0: unreadable */
    struct asnap_py_frame *frames;
    size_t frame_count;
    uint64_t *names; /* addresses of the file names, each once */
    size_t name_count;
    uint64_t unreadable; /* tracebacks */
};

/* Reads tracebacks; ends likewise with asnap_py_stacks_deinit. */
struct asnap_error *asnap_py_stacks_read(const struct asnap_py_memory *py,
                                         const struct asnap_cpython *cpython,
                                         const uint64_t *tracebacks, size_t count,
                                         struct asnap_py_stacks *stacks);
void asnap_py_stacks_deinit(struct asnap_py_stacks *stacks);

#endif
