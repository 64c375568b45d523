/* Where the data of a core file ends. */
#ifndef ASNAP_COLLECT_DATA_END_H
#define ASNAP_COLLECT_DATA_END_H

#include <stdint.h>

/* Where the zeros begin that a file of `size` bytes ends in, as one does that was cut off and
 * filled up; `size` where they are few. The last memory in a core is that with the highest
 * addresses, a stack's, the vDSO's or the vsyscall page, and those end in something else. At most
 * ASNAP_ZEROS_MOST are looked at. */
uint64_t asnap_data_end(int file, uint64_t size);

#define ASNAP_ZEROS_MOST (UINT64_C(1) << 30)

#endif
