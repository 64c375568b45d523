/* Calls through null or wild pointers: a signal finds the processor where no code is, before it
 * has done anything there. Where the pointer leads to memory that can run, such as a file's
 * constants, which aarch64's linkers put beside its code, that holds for the first instruction. */
#ifndef ASNAP_HOOKS_WILD_CALL_H
#define ASNAP_HOOKS_WILD_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "cfi.h"

/* From the registers that a signal interrupted at `pc`, where nothing is known of the code, to
 * those of the function that has called: the call has left its return address, and nothing else.
 * False: what should be the return address is none, or what is at `pc` can run and may not be
 * where that call has led. */
bool asnap_wild_call_caller(uint64_t pc, const struct asnap_registers *registers,
                            asnap_read_word *read, void *context, struct asnap_registers *caller,
                            uint64_t *return_address);

#endif
