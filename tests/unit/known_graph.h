/* A graph that is known block by block. */
#ifndef ASNAP_TEST_KNOWN_GRAPH_H
#define ASNAP_TEST_KNOWN_GRAPH_H

#include "graph_heap.h"
#include "graph_parts.h"

/* Blocks 0 to 8 of (i + 1) * 16 bytes: 0 is reachable and keeps 1 alive; 2 is possible, points to
 * 3, which is too; 4 is definite, on a cycle with 5, and leads to 6; 7 is definite. 8 lies where no
 * program has memory. */
#define KNOWN 9u

/* The parts in arrays that a test may change. */
struct known {
    struct asnap_snapshot *snapshot;
    struct asnap_graph_parts parts;
    uint8_t classes[KNOWN];
    struct asnap_kept_retained retained[KNOWN];
    struct asnap_kept_leak leaks[KNOWN];
    struct asnap_kept_pointer pointers[8];
    const char *notes[1];
};

struct asnap_error *known_init(struct known *known);
void known_deinit(struct known *known);

#endif
