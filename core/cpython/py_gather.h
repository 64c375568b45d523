/* Many small pieces of a program's memory, read at once. */
#ifndef ASNAP_CPYTHON_PY_GATHER_H
#define ASNAP_CPYTHON_PY_GATHER_H

#include "py_memory.h"

/* A piece that is wanted. */
struct asnap_wanted {
    uint64_t address;
    uint32_t size;
    uint32_t place; /* the asker's own */
};

/* What was read along with a piece, which is in it. */
struct asnap_py_window {
    uint64_t start;
    size_t size;
    const uint8_t *bytes;
};

/* The bytes at an address as far as they are in a window, else NULL. */
static inline const uint8_t *asnap_py_in_window(const struct asnap_py_window *window,
                                                uint64_t address, size_t size)
{
    uint64_t offset = address - window->start;
    return offset < window->size && window->size - offset >= size ? window->bytes + offset : NULL;
}

/* Is handed the bytes of one piece; NULL: they cannot be read. `window` holds them, and what is
 * around them. */
typedef struct asnap_error *asnap_wanted_visitor(void *context, const struct asnap_wanted *wanted,
                                                 const uint8_t *bytes,
                                                 const struct asnap_py_window *window);

/* Reads the pieces a window of memory after the other, and hands them to `visit`; changes the order
 * of `wanted`. They may overlap. */
struct asnap_error *asnap_py_gather(const struct asnap_py_memory *py, struct asnap_wanted *wanted,
                                    size_t count, const char *step, asnap_wanted_visitor *visit,
                                    void *context);

#endif
