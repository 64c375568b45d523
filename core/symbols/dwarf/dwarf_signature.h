/* Names of C++ functions with the types of their parameters, written as the demangler writes those
 * of linkage names, for functions that have none. */
#ifndef ASNAP_SYMBOLS_DWARF_SIGNATURE_H
#define ASNAP_SYMBOLS_DWARF_SIGNATURE_H

#include "dwarf_entry_names.h"

/* Writes `name`, the qualified name of the function that the entry at `offset` stands for, with the
 * types of its parameters: "ns::load(char const*, int)", "(anonymous namespace)::Box::size()
 * const"; of an instance of a template with what it returns before it, as its symbol has it. A type
 * that is not written here (arrays, pointers to members, what has no name) is "?", and then the
 * line of the function comes behind, so that overloads stay apart: "load(int, ?) at line 12". To be
 * freed; NULL where the entries are damaged. */
struct asnap_error *asnap_function_signature(struct asnap_entry_names *names, uint64_t offset,
                                             const char *name, char **signature);

#endif
