/* Walking the calling thread's stack. */
#ifndef ASNAP_HOOKS_STACK_WALK_H
#define ASNAP_HOOKS_STACK_WALK_H

#include <stddef.h>
#include <stdint.h>

/* Learns where the unwinder is; to be called once, before the first walk. */
void asnap_stack_walk_init(void);

/* Stores the return addresses of the stack, most recent first, from `caller` on
 * (the return address of the allocation function, so that the hooks' own frames
 * stay out), at most `limit` of them (1 or more), and the number of all frames, at
 * most ASNAP_TABLE_FRAME_LIMIT_MAX, in `total`. Returns how many it stored: at
 * least 1. A frame that a signal interrupted is stored as its address plus 1, so
 * that the address minus 1 is an instruction of the frame in every case. A call
 * from the unwinder itself is not walked and has `caller` alone: libgcc allocates
 * with its lock on registered frames held. Nothing is allocated, but by libgcc for
 * frames that were registered with it and not looked at before. */
size_t asnap_stack_walk(const void *caller, uint64_t *return_addresses, size_t limit,
                        uint32_t *total);

#endif
