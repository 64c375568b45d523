/* How much was ever allocated at each stack: counters beside the nodes of the tree. Threads add to
 * them without a lock. */
#ifndef ASNAP_HOOKS_STACK_TOTALS_H
#define ASNAP_HOOKS_STACK_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether they are kept. It is decided before the first call of the program goes on. */
extern bool asnap_totals_is_on;

void asnap_stack_totals_begin(void);

/* A block was allocated at the stack of a node; ASNAP_TABLE_NONE: it is not known. */
void asnap_stack_totals_add(uint32_t node, uint64_t size);

/* It was freed before its thread allocated or freed another one. */
void asnap_stack_totals_add_temporary(uint32_t node, uint64_t size);

/* All begin at 0 again. */
void asnap_stack_totals_clear(void);

#endif
