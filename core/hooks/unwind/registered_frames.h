/* Code that was made while the program ran, and whose unwind information was registered
 * with libgcc (__register_frame), as compilers at run time do. */
#ifndef ASNAP_HOOKS_REGISTERED_FRAMES_H
#define ASNAP_HOOKS_REGISTERED_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "eh_frame.h"

/* Finds the memory [start, end) of the file that is loaded at an address; false: there is none. */
typedef bool asnap_file_bounds(uint64_t address, uint64_t *start, uint64_t *end);

/* Learns where libgcc is; before the other functions. */
void asnap_registered_init(asnap_file_bounds *bounds);

/* Finds the entry that describes `pc`. libgcc looks for it with a lock of its own held, and
 * may allocate. */
bool asnap_registered_find(uint64_t pc, struct asnap_fde *fde);

/* Whether a call comes from libgcc, which allocates with that lock held. */
bool asnap_registered_is_libgcc(uint64_t pc);

#endif
