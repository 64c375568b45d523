/* V8's heap snapshot: nodes and edges as two flat arrays of numbers, and a table of strings. The
 * format is what v8/src/profiler/heap-snapshot-generator.cc writes. Its readers keep each number in
 * 32 bits. */
#ifndef ASNAP_EXPORT_V8_H
#define ASNAP_EXPORT_V8_H

#include "export_strings.h"
#include "job.h"

/* Fields of a node: an edge names its node by the place of the first of them. */
enum { ASNAP_V8_NODE_FIELDS = 7 };

enum asnap_v8_node_type { ASNAP_V8_NATIVE = 8, ASNAP_V8_SYNTHETIC = 9 };
enum asnap_v8_edge_type { ASNAP_V8_ELEMENT = 1, ASNAP_V8_INTERNAL = 3 };

/* The kinds of roots, and what stands for one above leaked blocks. */
enum { ASNAP_V8_LEAKED = ASNAP_ROOT_KINDS, ASNAP_V8_GROUPS };

/* A pointer in a root. */
struct asnap_v8_pointer {
    uint32_t block;
    uint32_t word; /* of the root: which of its words holds it */
};

/* The nodes above the blocks: 0 is above all, below it come groups of roots, and below these the
 * roots that hold a pointer. */
struct asnap_v8_roots {
    uint32_t group_nodes[ASNAP_V8_GROUPS]; /* 0: there is none of that kind */
    uint32_t group_sizes[ASNAP_V8_GROUPS]; /* the roots of each; of LEAKED the blocks */
    uint32_t group_count;                  /* groups that are there */
    uint32_t *roots; /* those that are there, by kind: their numbers in the graph */
    size_t *first;   /* roots[i] holds pointers[first[i]] up to pointers[first[i + 1]] */
    uint32_t root_count;
    struct asnap_v8_pointer *pointers;
    size_t pointer_count;
};

/* Fails with NO_MEMORY only. */
struct asnap_error *asnap_v8_roots_init(struct asnap_v8_roots *roots,
                                        const struct asnap_graph *graph);
void asnap_v8_roots_deinit(struct asnap_v8_roots *roots);

/* The node of roots[0], after which the others follow, and after them the blocks. */
static inline uint32_t asnap_v8_first_root(const struct asnap_v8_roots *roots)
{
    return 1 + roots->group_count;
}

/* Adds the name of a group, and of a root, to `strings`. Fails with NO_MEMORY only. */
struct asnap_error *asnap_v8_group_name(uint32_t group, struct asnap_strings *strings,
                                        uint32_t *id);
struct asnap_error *asnap_v8_root_name(const struct asnap_export_options *options, uint32_t root,
                                       struct asnap_strings *strings, uint32_t *id);

/* Numbers of the blocks, even and each once: as far as possible a block has the same one in another
 * snapshot of the same process, and no other block has it, so that snapshots can be compared. To be
 * freed. Fails with NO_MEMORY only. */
struct asnap_error *asnap_v8_block_ids(const struct asnap_graph *graph, uint32_t **ids);

#endif
