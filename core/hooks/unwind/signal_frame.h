/* The frame that the kernel lays down for a signal handler, where the code that returns
 * from it has no unwind information (the kernel's own on aarch64, other libcs). */
#ifndef ASNAP_HOOKS_SIGNAL_FRAME_H
#define ASNAP_HOOKS_SIGNAL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "cfi.h"

/* Whether `code`, readable for ASNAP_SIGNAL_RETURN_BYTES, is a call of rt_sigreturn. */
enum { ASNAP_SIGNAL_RETURN_BYTES = 9 };
bool asnap_signal_is_return(const uint8_t *code);

/* Reads the interrupted registers; `sp` is the stack pointer at that code. */
bool asnap_signal_registers(uint64_t sp, asnap_read_word *read, void *context,
                            struct asnap_registers *interrupted, uint64_t *pc);

#endif
