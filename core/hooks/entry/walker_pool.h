/* Which thread has which walker; those of threads that have ended serve others. */
#ifndef ASNAP_HOOKS_WALKER_POOL_H
#define ASNAP_HOOKS_WALKER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "walker.h"

/* Gives this thread a walker, where it has none; NULL: no memory. It goes back when the
 * thread ends; where `borrows` says so, asnap_walker_pool_return must follow. Only between
 * asnap_gate_enter and asnap_gate_leave, as the next. */
struct asnap_walker *asnap_walker_pool_take(void);

/* Lets other threads have this thread's walker. */
void asnap_walker_pool_return(void);

/* Must be called once before asnap_walker_pool_take. */
void asnap_walker_pool_init(void);

/* Gives back the memory of walkers whose threads have ended. */
void asnap_walker_pool_drop(void);

/* Remembers in a child that this is the thread that it has from its parent. */
void asnap_walker_pool_notice(void);
bool asnap_walker_pool_has_notice(void);

/* In a child (process.h), as asnap_records_mend: the walkers of its parent's other threads are
 * free, or lost where one of them was just then taken or given back. */
void asnap_walker_pool_mend(const uint32_t *only);

#endif
