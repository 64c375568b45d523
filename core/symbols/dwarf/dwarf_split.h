/* Split debug information (DWARF 5, sections 3.1.2 and 7.3.2; DWARF 4 with GNU's extension):
 * what the program has is a skeleton of each unit, and the rest is in a file of its own
 * (.dwo), or in one for all of them (.dwp). */
#ifndef ASNAP_SYMBOLS_DWARF_SPLIT_H
#define ASNAP_SYMBOLS_DWARF_SPLIT_H

#include "dwarf_access.h"
#include "range_index.h"

/* What a skeleton says of the rest of its unit. Strings live as long as its asnap_dwarf. */
struct asnap_skeleton {
    const char *name;      /* DW_AT_dwo_name; NULL: it is no skeleton */
    const char *directory; /* DW_AT_comp_dir, or NULL */
    uint64_t id;           /* DWARF 5, section 7.5.1.2; GNU: DW_AT_GNU_dwo_id */
};

void asnap_entry_skeleton(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                          struct asnap_skeleton *skeleton);

/* Adds the first entry of each unit of a split file to `units`, found by the unit's id. */
struct asnap_error *asnap_split_units(struct asnap_dwarf *split, struct asnap_range_index *units);

/* From here on the entries of `split` are those of the unit that begins with `entry`, whose
 * skeleton is `unit` of `program`, which must outlive `split`. */
struct asnap_error *asnap_split_enter(struct asnap_dwarf *split, const struct asnap_entry *entry,
                                      struct asnap_dwarf *program, const struct asnap_entry *unit);

#endif
