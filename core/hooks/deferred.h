/* Work that a signal handler left: it interrupted a hook of its own thread, so it
 * could not touch the table. The hook does it when it is done. */
#ifndef ASNAP_HOOKS_DEFERRED_H
#define ASNAP_HOOKS_DEFERRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum asnap_deferred_kind {
    ASNAP_DEFERRED_INSERT,  /* a new block is to be recorded */
    ASNAP_DEFERRED_RELEASE, /* a block is to be forgotten, then released */
};

struct asnap_deferred {
    enum asnap_deferred_kind kind;
    size_t bytes; /* of this structure with its frames */
    struct asnap_deferred *next;
    uint64_t key;            /* of the record */
    void *block;             /* release: NULL where only the record is to go */
    size_t size;             /* insert */
    void (*release)(void *); /* release */
    uint32_t frame_count;    /* insert: return_addresses that are there */
    uint32_t total;          /* insert: frames of the whole stack */
    uint64_t return_addresses[];
};

/* A new piece of work with room for `frame_limit` frames, or NULL: no memory. */
struct asnap_deferred *asnap_deferred_create(enum asnap_deferred_kind kind, size_t frame_limit);
void asnap_deferred_destroy(struct asnap_deferred *deferred);

/* Leaves work to the hook that this thread is in. */
void asnap_deferred_push(struct asnap_deferred *deferred);

/* Takes all that was left, oldest first; NULL: none. */
struct asnap_deferred *asnap_deferred_take(void);

#endif
