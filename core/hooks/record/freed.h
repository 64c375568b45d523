/* The blocks that were freed last: a ring in the table, without a lock. Each writer takes the next
 * number, and with it a place. */
#ifndef ASNAP_HOOKS_FREED_H
#define ASNAP_HOOKS_FREED_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"
#include "records.h"

/* Whether there is one. It is decided before the first call of the program goes on. */
extern bool asnap_freed_is_on;

/* Makes one of so many places, at most ASNAP_TABLE_FREED_MAX. False: no memory. */
bool asnap_freed_begin(uint64_t capacity);

/* The calling thread frees a block now, with the node of a stack or ASNAP_TABLE_NONE. `removed` is
 * what its record said. Returns its number; 0: another thread is still writing at its place. */
uint64_t asnap_freed_put(uint64_t key, const struct asnap_removed *removed, uint32_t stack);

/* It was not freed after all. */
void asnap_freed_take_back(uint64_t number);

/* A block was allocated of which there is no record: that any of those until now is freed still is
 * not known any more. */
void asnap_freed_doubt(void);

/* The last block with this key that was freed, of which there is no record: it is freed still.
 * False: it is not known, or not in the ring any more. */
bool asnap_freed_find(uint64_t key, struct asnap_table_freed_block *block);

/* Those until now are not to be shown any more. */
void asnap_freed_clear(void);

#endif
