/* The tree of stacks: each distinct (caller's node, return address) once. It only grows,
 * so a node's number is good for ever, also in the memory that threads have of their last
 * stacks: dropping the records leaves the tree as it is. */
#ifndef ASNAP_HOOKS_STACKS_H
#define ASNAP_HOOKS_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the empty tree. False: no memory. */
bool asnap_stacks_init(void);

/* The node of stacks of whose frames the `omitted` oldest are not kept.
 * ASNAP_TABLE_NONE: no memory for it. */
uint32_t asnap_stacks_origin(uint64_t omitted);

/* The node of the stack that was `parent`'s and then called on, with the return address
 * `pc` (bits 0-47; bits 48-63 its module). ASNAP_TABLE_NONE: no memory for it. Finding
 * one that is there takes no lock. */
uint32_t asnap_stacks_child(uint32_t parent, uint64_t pc);

/* The node of the stack with these return addresses, most recent first, over an origin
 * with `omitted`. ASNAP_TABLE_NONE: no memory for it. */
uint32_t asnap_stacks_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted);

/* What a node says. */
struct asnap_stacks_frame {
    uint64_t pc;
    uint32_t parent;
};

struct asnap_stacks_frame asnap_stacks_frame(uint32_t node);

/* In a child (process.h), as asnap_records_mend. */
void asnap_stacks_mend(const uint32_t *only);

#endif
