/* Finding blocks by address. */
#ifndef ASNAP_MODEL_ADDRESS_INDEX_H
#define ASNAP_MODEL_ADDRESS_INDEX_H

#include "error.h"

struct asnap_address_index;

/* Keeps `traces`, which must outlive the index. */
struct asnap_error *asnap_address_index_create(const struct asnap_trace *traces, uint32_t count,
                                               struct asnap_address_index **index);
void asnap_address_index_destroy(struct asnap_address_index *index);

/* The block that holds `address`, as asnap_snapshot_find says; NULL: none does. */
const struct asnap_trace *asnap_address_index_find(const struct asnap_address_index *index,
                                                   uint64_t address);

#endif
