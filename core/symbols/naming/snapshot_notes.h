/* The first lines of a snapshot: what its numbers are, and what is missing in it. */
#ifndef ASNAP_SNAPSHOT_NOTES_H
#define ASNAP_SNAPSHOT_NOTES_H

#include "raw.h"
#include "symbolizer.h"

/* Adds them, in their order. `frames_cut` is how many frames tracebacks had to be cut to, 0 where
 * they are whole. */
struct asnap_error *asnap_snapshot_notes_add(struct asnap_builder *builder,
                                             const struct asnap_raw *raw,
                                             struct asnap_symbolizer *symbolizer,
                                             uint32_t frames_cut);

#endif
