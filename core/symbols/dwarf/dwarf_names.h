/* Names of functions from debug information. */
#ifndef ASNAP_SYMBOLS_DWARF_NAMES_H
#define ASNAP_SYMBOLS_DWARF_NAMES_H

#include "dwarf_access.h"
#include "dwarf_entry_names.h"
#include "frame_store.h"
#include "number_map.h"

/* Remembers the names it has found, by the offset of their entries. */
struct asnap_function_names {
    struct asnap_dwarf *dwarf;
    struct asnap_frame_store *store;
    struct asnap_number_map found;    /* values: strings of the store; "" for no name */
    struct asnap_number_map plain;    /* those without a linkage name; same values */
    struct asnap_entry_names entries; /* as far as it has looked */
    bool is_cplusplus;                /* the unit that is asked about */
};

/* The name of the function that the entry at `offset` stands for, kept in the
 * store: its linkage name, made readable, else its DW_AT_name, each looked for
 * along DW_AT_abstract_origin and DW_AT_specification; of a lambda where it is written
 * (dwarf_entry_names.h). NULL where it has none.
 * `is_plain`, which may be NULL, becomes whether it is a DW_AT_name. */
struct asnap_error *asnap_function_name(struct asnap_function_names *names, uint64_t offset,
                                        const char **name, bool *is_plain);

void asnap_function_names_deinit(struct asnap_function_names *names);

#endif
