/* Which blocks hold objects of CPython, and of which types: what ob_type leads to. */
#ifndef ASNAP_GRAPH_PYTHON_TYPES_H
#define ASNAP_GRAPH_PYTHON_TYPES_H

#include "allocsnap_graph.h"
#include "intern.h"

/* Words of a block that are looked at: two pads of debug hooks, a pointer to the dictionary and
 * one to weak references (3.11 and later), two words of the garbage collector, and the object's
 * head. */
enum { ASNAP_PYTHON_WORDS = 12, ASNAP_PYTHON_NONE = 4096 };

/* A type object. */
struct asnap_python_type {
    uint64_t address;
    uint64_t meta;   /* its own type */
    char *name;      /* tp_name; NULL: it cannot be read */
    uint64_t size;   /* bytes of an object without what is before it (tp_basicsize) */
    uint64_t before; /* bytes that the interpreter has in front of an object */
    bool is_fixed;   /* its objects are all as large */
    bool is_meta;    /* its objects are types */
};

struct asnap_python_types {
    const struct asnap_graph_facts *facts;
    bool is_wanted; /* the program has a file of CPython's */
    bool interrupted;
    struct asnap_python_type *types;
    size_t count;
    size_t capacity;
    struct asnap_intern index;
    uint64_t none[ASNAP_PYTHON_NONE]; /* addresses that are no types, by some bits of them */
};

void asnap_python_types_init(struct asnap_python_types *types,
                             const struct asnap_graph_facts *facts);
void asnap_python_types_deinit(struct asnap_python_types *types);

/* The address of the type of the object in a block of `size` bytes that begins with these words; 0:
 * there is none. A block is taken for an object only where the word that must be ob_type leads to a
 * type, by whose own type in turn, and so on, `type` is reached, which is its own; where that type
 * has objects begin at this very place in a block, and so large; and where the reference count can
 * be one. Fails with NO_MEMORY. */
struct asnap_error *asnap_python_types_of(struct asnap_python_types *types, uint64_t size,
                                          const uint64_t *words, size_t count, uint64_t *type);

/* The name of a type that was found; NULL: there is no such type, or its name cannot be read. */
const struct asnap_python_type *asnap_python_types_at(const struct asnap_python_types *types,
                                                      uint64_t address);

#endif
