/* What there is to say of the groups of a snapshot beside their sums, worked out when it is
 * asked for: statistics whose details are not shown need not wait for it. */
#ifndef ASNAP_MODEL_DETAILS_H
#define ASNAP_MODEL_DETAILS_H

#include "keys.h"

struct asnap_details;

/* Shares what it needs of the snapshot; NULL where memory is short. */
struct asnap_details *asnap_details_create(const struct asnap_snapshot *snapshot,
                                           const struct asnap_key_kind *kind, bool cumulative);
void asnap_details_destroy(struct asnap_details *details);

/* Of the group with this id. */
struct asnap_error *asnap_details_get(struct asnap_details *details, uint32_t id,
                                      struct asnap_detail *detail);

#endif
