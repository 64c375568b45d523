/* The built-in suppressions: what programs keep until they end by design of the C library, the
 * dynamic loader and the C++ library. */
#ifndef ASNAP_MODEL_BUILTIN_SUPPRESSIONS_H
#define ASNAP_MODEL_BUILTIN_SUPPRESSIONS_H

#include "skip_sets.h"

/* How many there are, and what one of them is called and of what its blocks are. */
uint32_t asnap_builtin_suppression_count(void);
const char *asnap_builtin_suppression_name(uint32_t number);
const char *asnap_builtin_suppression_what(uint32_t number);

/* The number of the one that the blocks of a traceback are of; UINT32_MAX: of none. `matches` are
 * of the same store. */
uint32_t asnap_builtin_suppression_of(const struct asnap_set_matches *matches,
                                      const struct asnap_store *store, uint32_t traceback);

#endif
