/* The live blocks of a snapshot, and what they sum to. */
#ifndef ASNAP_MODEL_BLOCKS_H
#define ASNAP_MODEL_BLOCKS_H

#include <stdatomic.h>

#include "address_index.h"

/* Blocks, shared by a snapshot and those filtered from it. Reference-counted and
 * immutable, but for what is made when it is first asked for. */
struct asnap_blocks {
    _Atomic size_t references;
    struct asnap_trace *traces;
    size_t count;                                     /* below ASNAP_NONE */
    _Atomic(struct asnap_address_index *) by_address; /* NULL: not made yet */
};

/* Takes `traces` over, with one reference; NULL where memory is short, and the
 * caller keeps them. */
struct asnap_blocks *asnap_blocks_create(struct asnap_trace *traces, size_t count);
struct asnap_blocks *asnap_blocks_share(struct asnap_blocks *blocks);
void asnap_blocks_release(struct asnap_blocks *blocks);

/* The index of these blocks, made when it is first asked for. */
struct asnap_error *asnap_blocks_by_address(struct asnap_blocks *blocks,
                                            const struct asnap_address_index **index);

#endif
