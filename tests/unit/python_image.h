/* The memory of a program that runs CPython and traces, made up word by word. */
#ifndef PYTHON_IMAGE_H
#define PYTHON_IMAGE_H

#include "allocsnap_cpython.h"

#define PYTHON_CODE UINT64_C(0x400000)
#define PYTHON_DATA UINT64_C(0x401000)
#define PYTHON_HEAP UINT64_C(0x403000)
#define PYTHON_END UINT64_C(0x408000)

enum python_image_kind {
    PYTHON_3_8,  /* tables that hold copies, and static variables */
    PYTHON_3_11, /* static variables */
    PYTHON_3_14, /* a state in _PyRuntime */
    PYTHON_3_14_FREE_THREADED,
    PYTHON_KINDS,
};

struct python_image {
    enum python_image_kind kind;
    uint8_t bytes[PYTHON_END - PYTHON_CODE];
    uint64_t used; /* the end of what the heap holds */
    struct asnap_region regions[3];
    struct asnap_memory memory;
    struct asnap_cpython_symbols symbols;
    /* Where things are, for tests that damage them. */
    uint64_t traces; /* the tables */
    uint64_t domains;
    uint64_t state; /* _tracemalloc_runtime_state, or where the pointers to the tables are */
    uint64_t config;
    uint64_t lock;
    uint64_t names[3];
    uint64_t tracebacks[2];
    uint64_t entries[3]; /* of the three traces of the domain 0 */
};

/* Three traces in the domain 0 (addresses 0x1000, 0x2000 and 0x3000; 10, 20 and 30 bytes; the first
 * two with a traceback of /a.py:1 below /b<U+00E9>.py:2, the last with one of <U+65E5>:3, of a
 * stack of 7) and, but in 3.8, one of 40 bytes at 0x1000 in the domain 5. The frame limit is 4. */
void python_image_make(struct python_image *image, enum python_image_kind kind);

/* A word of it, or half of one. */
uint64_t python_image_word(const struct python_image *image, uint64_t address);
void python_image_put(struct python_image *image, uint64_t address, uint64_t word);
void python_image_put_half(struct python_image *image, uint64_t address, uint32_t half);

#endif
