/* File names: str objects of the program (PyUnicodeObject, PEP 393). */
#ifndef ASNAP_CPYTHON_PY_NAMES_H
#define ASNAP_CPYTHON_PY_NAMES_H

#include "py_memory.h"

/* Where things are in a str object; it follows from the version and the kind of build. */
struct asnap_py_str_layout {
    uint32_t length;  /* Py_ssize_t, the offset of */
    uint32_t state;   /* 32 bits, the offset of */
    uint32_t ascii;   /* size of PyASCIIObject, behind which the characters of ASCII are */
    uint32_t compact; /* size of PyCompactUnicodeObject, behind which those of others are, or the
                         pointer to them */
};

struct asnap_py_str_layout asnap_py_str_layout(uint32_t version, bool free_threaded);

/* What was met with. */
struct asnap_py_names_found {
    uint64_t unreadable; /* objects that are no str, or cannot be read */
    uint64_t escaped; /* names that are not those of files: characters are written \x.. in them */
};

/* Reads the names at `count` addresses. names[i] is that of addresses[i], from malloc; each name
 * is in UTF-8, with other bytes where Python has lone surrogates for these (PEP 383). Fails with
 * NO_MEMORY and INTERRUPTED. The caller frees the names, also on failure. */
struct asnap_error *asnap_py_names_read(const struct asnap_py_memory *py,
                                        const struct asnap_py_str_layout *layout,
                                        const uint64_t *addresses, size_t count, char **names,
                                        struct asnap_py_names_found *found);

#endif
