/* The memory of a program that runs CPython: where code is, and what its bytes say. */
#ifndef ASNAP_CPYTHON_PY_MEMORY_H
#define ASNAP_CPYTHON_PY_MEMORY_H

#include <string.h>

#include "allocsnap_inferior.h"
#include "error.h"

struct asnap_py_memory {
    const struct asnap_memory *memory;
    const struct asnap_progress *progress; /* may be NULL */
    const struct asnap_region *regions;    /* sorted by address */
    size_t region_count;
    uint64_t readable; /* bytes that there can be: what says that it has more is damaged */
};

struct asnap_py_memory asnap_py_memory_of(const struct asnap_memory *memory,
                                          const struct asnap_region *regions, size_t region_count,
                                          const struct asnap_progress *progress);

/* The region that holds an address, or NULL. */
const struct asnap_region *asnap_py_region(const struct asnap_py_memory *py, uint64_t address);

/* Whether there is code at an address; true where nothing is known of the memory. */
bool asnap_py_is_code(const struct asnap_py_memory *py, uint64_t address);

/* Reads a piece. *is_read tells whether it could be; fails with INTERRUPTED only. */
struct asnap_error *asnap_py_read(const struct asnap_py_memory *py, uint64_t address, void *buffer,
                                  size_t size, bool *is_read);

/* Tells how far a step has come; INTERRUPTED where it is to end. */
struct asnap_error *asnap_py_ask(const struct asnap_py_memory *py, const char *step, uint64_t done,
                                 uint64_t total);

/* Numbers of the program in bytes, which need not be aligned. */
static inline uint64_t asnap_py_u64(const uint8_t *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

static inline uint32_t asnap_py_u32(const uint8_t *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

static inline uint16_t asnap_py_u16(const uint8_t *bytes)
{
    uint16_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

#endif
