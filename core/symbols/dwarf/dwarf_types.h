/* Names of types from debug information. */
#ifndef ASNAP_SYMBOLS_DWARF_TYPES_H
#define ASNAP_SYMBOLS_DWARF_TYPES_H

#include "dwarf_entry_names.h"
#include "frame_store.h"
#include "number_map.h"

/* Remembers the names it has found, by the offset of the entry of the type. */
struct asnap_type_names {
    struct asnap_dwarf *dwarf;
    struct asnap_entry_names *entries; /* of the same information */
    struct asnap_frame_store *store;
    struct asnap_number_map found; /* values: strings of the store; "" for no name */
};

/* The name of the type whose entry is at `offset`: of a class without typedefs, const and the like,
 * behind the namespaces and classes around it ("drawing::Shape", "Shape*"), of an array that of
 * what it consists of. NULL: it has none, or the entry is damaged. Fails with NO_MEMORY only. */
struct asnap_error *asnap_type_name(struct asnap_type_names *names, uint64_t offset,
                                    const char **name);

void asnap_type_names_deinit(struct asnap_type_names *names);

#endif
