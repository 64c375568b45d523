/* Large arrays that come and go with each snapshot that is read. Memory that was never touched
 * costs several times what filling it does, where page faults are dear: what one snapshot
 * gives back, the next one fills. */
#ifndef ASNAP_BASE_RESERVE_H
#define ASNAP_BASE_RESERVE_H

#include <stddef.h>

/* Room for `count` elements, from malloc, of any contents; NULL where memory is short. */
void *asnap_reserve_take(size_t count, size_t element_size);

/* Takes back what asnap_reserve_take or malloc has given, and frees it where it is small or
 * enough is kept. Accepts NULL. May be called from several threads at once. */
void asnap_reserve_give(void *array);

#endif
