/* The tree of stacks: each distinct (caller's node, return address) once. */
#ifndef ASNAP_HOOKS_STACKS_H
#define ASNAP_HOOKS_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the empty tree. False: no memory. */
bool asnap_stacks_init(void);

/* The node of the stack with these return addresses, most recent first, of which
 * `omitted` older ones were left out. ASNAP_TABLE_NONE: no memory for it. The tree
 * only grows, so a node's number is good for ever. */
uint32_t asnap_stacks_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted);

uint32_t asnap_stacks_origin(uint32_t omitted);
uint32_t asnap_stacks_child(uint32_t parent, uint64_t pc);

/* Keeps the tree still across a fork. */
void asnap_stacks_lock(void);
void asnap_stacks_unlock(void);

#endif
