/* Keeps the frames and strings that a symbolizer has handed out. */
#ifndef ASNAP_SYMBOLS_FRAME_STORE_H
#define ASNAP_SYMBOLS_FRAME_STORE_H

#include "allocsnap.h"

struct asnap_frame_store;

struct asnap_error *asnap_frame_store_create(struct asnap_frame_store **store);
void asnap_frame_store_destroy(struct asnap_frame_store *store);

/* A copy of `text` that lives as long as the store; equal texts give the same
 * pointer. */
struct asnap_error *asnap_frame_store_string(struct asnap_frame_store *store, const char *text,
                                             const char **kept);

/* A copy of `frames` (not of their strings) that lives as long as the store; `allocates` is a
 * string of the store, or NULL. */
struct asnap_error *asnap_frame_store_frames(struct asnap_frame_store *store,
                                             const struct asnap_frame *frames, size_t count,
                                             const char *allocates,
                                             const struct asnap_named_pc **kept);

#endif
