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
    /* The region that was looked at last of those that hold no vtable: most first words of blocks
     * lead into the heap, where they lead anywhere. */
    uint64_t none_from;
    uint64_t none_to;
    bool interrupted;
};

/* For asnap_word_reader, with an asnap_vtables as context. A word is the address of a vtable
 * (Itanium C++ ABI, 2.5.2) where it lies, aligned, in memory of a file that the program does not
 * change, and there: two words before it an offset to the top of an object, of whole words and less
 * than 16 MiB; one word before it the address of type information, which looks like such; and at it
 * the first virtual function, which is code, or a null pointer. Without type information (0) the
 * offset is not above 0, and the function is code: a table of code addresses, as that of a switch
 * in a program at low addresses, is no vtable. */
bool asnap_vtables_has(void *context, uint64_t word);

#endif
