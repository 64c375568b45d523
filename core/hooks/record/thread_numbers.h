/* The numbers of threads: places in the root's list of kernel thread numbers. */
#ifndef ASNAP_HOOKS_THREAD_NUMBERS_H
#define ASNAP_HOOKS_THREAD_NUMBERS_H

#include <stdint.h>

#include "allocsnap_table.h"

#define ASNAP_THREAD_NUMBERS (ASNAP_TABLE_THREAD_CHUNKS * ASNAP_TABLE_CHUNK_THREADS)

/* The calling thread's number; 0: not asked for yet; UINT32_MAX: there is none. */
extern __thread uint32_t asnap_thread_own_number;

uint32_t asnap_thread_number_take(void);

/* The number of the calling thread, which it keeps; 0 where there are no more numbers, or no
 * memory for one. */
static inline uint32_t asnap_thread_number(void)
{
    uint32_t number = asnap_thread_own_number;
    return __builtin_expect(number - 1 < ASNAP_THREAD_NUMBERS, 1) ? number
                                                                  : asnap_thread_number_take();
}

/* The number that the calling thread has, as in a handler, which cannot take one; 0: none. */
static inline uint32_t asnap_thread_number_if_any(void)
{
    uint32_t number = asnap_thread_own_number;
    return number < ASNAP_THREAD_NUMBERS ? number : 0;
}

/* For the thread of a forked child, which has another kernel thread number than its
 * parent: it takes a number of its own. */
void asnap_thread_number_forget(void);

/* In a child (process.h), as asnap_records_mend. */
void asnap_thread_numbers_mend(const uint32_t *only);

#endif
