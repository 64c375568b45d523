/* What a debugger writes into the root to ask for something. */
#ifndef ASNAP_COLLECT_REQUEST_H
#define ASNAP_COLLECT_REQUEST_H

#include "allocsnap.h"
#include "allocsnap_table.h"

/* A counter that asks by being different from what has been obeyed. */
uint32_t asnap_request_raised(uint32_t asked, uint32_t obeyed);

/* The writes of these control words, and of another sequence after them. */
void asnap_request_write(const struct asnap_table_root *root, uint64_t root_address,
                         const struct asnap_table_control *control,
                         struct asnap_write writes[ASNAP_REQUEST_WRITES]);

#endif
