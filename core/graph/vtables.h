/* Which words are addresses of vtables: C++ objects begin with one. */
#ifndef ASNAP_GRAPH_VTABLES_H
#define ASNAP_GRAPH_VTABLES_H

#include "allocsnap_graph.h"

/* What was asked before, by some bits of the word. */
enum { ASNAP_VTABLES_KNOWN = 1024 };

struct asnap_vtables {
    const struct asnap_graph_facts *facts;
    struct {
        uint64_t word;
        bool is_vtable;
    } known[ASNAP_VTABLES_KNOWN];
    bool interrupted;
};

/* For asnap_word_reader, with an asnap_vtables as context. A word is the address of a vtable
 * (Itanium C++ ABI, 2.5.2) where it lies, aligned, in memory of a file that the program does not
 * change, and there: two words before it an offset to the top of an object, between 0 and -16 MiB,
 * or up to as much, one word before it the address of type information in memory of a file, or 0;
 * and the first virtual function at it is code, or a null pointer with type information before it.
 */
bool asnap_vtables_has(void *context, uint64_t word);

#endif
