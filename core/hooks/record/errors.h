/* Calls that were to free, or to resize, what is no live traced block: two rings in the table, of
 * blocks that were freed before and of those that are not known. They are kept where freed blocks
 * are, which tell these two kinds apart. Nothing else is done of them: the call goes on. */
#ifndef ASNAP_HOOKS_ERRORS_H
#define ASNAP_HOOKS_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the rings. False: no memory. */
bool asnap_errors_begin(void);

/* There was no record with this key when the calling thread was to free or resize it, with the node
 * of a stack or ASNAP_TABLE_NONE. Returns what asnap_errors_take_back wants; 0: it was not kept. */
uint64_t asnap_errors_put(uint64_t key, uint32_t stack);

/* It was none after all. */
void asnap_errors_take_back(uint64_t error);

/* Those until now are not to be shown any more. */
void asnap_errors_clear(void);

#endif
