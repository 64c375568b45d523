/* Names of types from debug information. */
#ifndef ASNAP_SYMBOLS_DWARF_TYPES_H
#define ASNAP_SYMBOLS_DWARF_TYPES_H

#include "dwarf_access.h"
#include "frame_store.h"
#include "number_map.h"

/* Remembers the names it has found, by the offset of the entry of the type. */
struct asnap_type_names {
    struct asnap_dwarf *dwarf;
    struct asnap_frame_store *store;
    struct asnap_number_map found; /* values: strings of the store; "" for no name */
};

/* Names the types whose entries are at `offsets`, which it sorts. `units` are the offsets of the
 * first entries of the units that they may be in, rising: names are those of namespaces and classes
 * around a type too, which only the way down from there tells. What is damaged has no name. Fails
 * with NO_MEMORY only. */
struct asnap_error *asnap_type_names_read(struct asnap_type_names *names, const uint64_t *units,
                                          size_t unit_count, uint64_t *offsets, size_t count);

/* The name of the type at an offset that was among these: of a class without typedefs, const and
 * the like ("drawing::Shape", "Shape*"), of an array that of what it consists of. NULL: it has
 * none. */
const char *asnap_type_name(const struct asnap_type_names *names, uint64_t offset);

void asnap_type_names_deinit(struct asnap_type_names *names);

#endif
