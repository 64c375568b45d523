/* Names of C++ functions and types from where their entries are: debug information has no linkage
 * names for some of them, as for those of gcc that are seen in one file only and were inlined
 * everywhere, and for lambdas such as count them in each compiler's way. */
#ifndef ASNAP_SYMBOLS_DWARF_ENTRY_NAMES_H
#define ASNAP_SYMBOLS_DWARF_ENTRY_NAMES_H

#include "dwarf_access.h"

/* Entries deeper than this are not looked for. */
#define ASNAP_ENTRY_DEPTH_MAX 24

/* The children of an entry that was looked through. */
struct asnap_entry_children {
    uint64_t parent;
    uint64_t *offsets; /* rising */
    size_t count;
    size_t capacity;
};

/* Keeps what it has looked through. All zero, but for `dwarf`, is nothing yet. */
struct asnap_entry_names {
    struct asnap_dwarf *dwarf;
    struct asnap_entry_children *parents; /* by their offsets */
    size_t count;
    size_t capacity;
    uint64_t typed_unit; /* 0: none was asked about */
    bool has_types;      /* what is known of that one */
};

/* Whether a function of this DW_AT_name may be one of a lambda's. `readable` is its linkage name,
 * demangled, or NULL. */
bool asnap_may_be_lambda(const char *name, const char *readable);

/* Writes the name of the lambda whose function the entry at `offset` stands for: the names around
 * it without parameters and template arguments, and the line where it is written, as in
 * "ns::outer::{lambda at line 12}", whatever lambdas are in between; to be freed. `readable` is its
 * linkage name, demangled, or NULL. This needs no count and no types, which compilers
 * spell each in its way. NULL where it is no function of a lambda, or what is around it is not
 * known. */
struct asnap_error *asnap_lambda_name(struct asnap_entry_names *names, uint64_t offset,
                                      const char *readable, char **name);

/* Writes the DW_AT_name of the function that the entry at `offset` stands for, behind those of the
 * namespaces, classes and functions around it; to be freed. NULL where one of these has none, and
 * of functions that other files see: C calls them by their bare names. */
struct asnap_error *asnap_qualified_name(struct asnap_entry_names *names, uint64_t offset,
                                         char **name);

/* The same of the type that the entry at `offset` is of, without the functions around it. NULL
 * where it, or a class around it, has no name. */
struct asnap_error *asnap_qualified_type(struct asnap_entry_names *names, uint64_t offset,
                                         char **name);

/* Whether the unit whose first entry is at `unit` describes any types: not where a program is built
 * with -g1, whose functions have no parameters there. */
struct asnap_error *asnap_unit_has_types(struct asnap_entry_names *names, uint64_t unit,
                                         bool *has_types);

void asnap_entry_names_deinit(struct asnap_entry_names *names);

#endif
