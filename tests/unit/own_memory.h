/* The memory of this very process, as a debugger would read it. */
#ifndef ASNAP_TEST_OWN_MEMORY_H
#define ASNAP_TEST_OWN_MEMORY_H

#include "raw.h"

extern const struct asnap_memory own_memory;

/* The table of own_table_open, read by the library; the caller destroys it. */
struct asnap_raw *own_table_read(void);

#endif
