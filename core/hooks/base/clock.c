#include "clock.h"

#include <string.h>

#include "kernel.h"
#include "root.h"

static const int64_t NANOSECONDS = 1000000000;
static const int64_t UNIT = NANOSECONDS / ASNAP_TABLE_TIMES_PER_SECOND;

static int64_t start;

/* The kernel's own function, which it puts into processes; libc's can be replaced by a library
 * that tells other times, and allocates. NULL: there is none, as where a process is emulated. */
static int (*read_clock)(clockid_t clock, struct timespec *now);

/* The coarse clock is a few loads, and as fine as the unit. */
static int64_t monotonic(void)
{
    struct timespec now = {0};
    if (read_clock == NULL || read_clock(CLOCK_MONOTONIC_COARSE, &now) != 0)
        asnap_kernel_clock(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

void asnap_clock_start(void *function)
{
    struct timespec now = {0};
    memcpy(&read_clock, &function, sizeof(function));
    asnap_kernel_clock(CLOCK_REALTIME, &now);
    start = monotonic();
    allocsnap_root.start_realtime = (uint64_t)(now.tv_sec * NANOSECONDS + now.tv_nsec);
}

uint32_t asnap_clock_now(void)
{
    uint64_t units = (uint64_t)(monotonic() - start) / (uint64_t)UNIT;
    return units < ASNAP_TABLE_TIME_LAST ? (uint32_t)units : ASNAP_TABLE_TIME_LAST;
}
