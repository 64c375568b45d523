/* The graph over the blocks of a snapshot: which of them the program can still get at, what
 * points to them, and what they keep alive. */
#ifndef ALLOCSNAP_GRAPH_H
#define ALLOCSNAP_GRAPH_H

#include "allocsnap_snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the program can still get at a block (memcheck's classes of leaks). */
enum asnap_reach_class {
    ASNAP_REACH_UNKNOWN,   /* no graph was computed */
    ASNAP_REACH_REACHABLE, /* a pointer from a root, or from another such block, leads to it */
    ASNAP_REACH_POSSIBLE,  /* only by pointers into the inside of a block */
    ASNAP_REACH_INDIRECT,  /* not, and only definite blocks lead to it */
    ASNAP_REACH_DEFINITE,  /* not, and nothing leads to it but a cycle that it stands for */
};

#ifdef __cplusplus
}
#endif

#endif
