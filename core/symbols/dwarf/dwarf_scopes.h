/* Which functions, inlined ones too, an address lies in, within one unit. */
#ifndef ASNAP_SYMBOLS_DWARF_SCOPES_H
#define ASNAP_SYMBOLS_DWARF_SCOPES_H

#include "dwarf_access.h"

#define ASNAP_SCOPE_NONE UINT32_MAX

/* A function, or a place where one was inlined. */
struct asnap_scope {
    uint64_t entry;     /* offset of its entry */
    uint64_t call_file; /* inlined ones: where it was called (asnap_line_file) */
    uint32_t call_line;
    uint32_t outer; /* the scope it was inlined into; ASNAP_SCOPE_NONE for a function */
};

/* The scopes that hold at least one wanted address. All zero is empty. */
struct asnap_scopes {
    struct asnap_scope *scopes;
    size_t count;
    size_t capacity;
};

/* Reads the unit's functions. `addresses` are those wanted, rising; innermost[i]
 * becomes the innermost scope of addresses[i], or ASNAP_SCOPE_NONE, and
 * allocated[i] the offset of the type that the call there allocates
 * (asnap_entry_allocation), or 0. An error of code DAMAGED leaves what was found
 * until then. */
struct asnap_error *asnap_scopes_read(struct asnap_scopes *scopes, struct asnap_dwarf *dwarf,
                                      const struct asnap_entry *unit, const uint64_t *addresses,
                                      size_t count, uint32_t *innermost, uint64_t *allocated);

void asnap_scopes_deinit(struct asnap_scopes *scopes);

#endif
