/* The times of records. */
#ifndef ASNAP_HOOKS_CLOCK_H
#define ASNAP_HOOKS_CLOCK_H

#include <stdint.h>

/* The kernel's function for it in the memory of processes (vdso(7)). */
#if defined(__aarch64__)
#define ASNAP_CLOCK_FUNCTION "__kernel_clock_gettime"
#else
#define ASNAP_CLOCK_FUNCTION "__vdso_clock_gettime"
#endif

/* Time 0 is now; the root's start_realtime says when that is. `function` is where the kernel's
 * is, or NULL: then each look costs a system call. */
void asnap_clock_start(void *function);

/* The time in units of the table (ASNAP_TABLE_TIMES_PER_SECOND). Takes no lock. */
uint32_t asnap_clock_now(void);

#endif
