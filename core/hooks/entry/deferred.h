/* Work that a signal handler left: it interrupted a hook of its own thread, so it
 * could not touch the table. The hook does it when it is done, as it does what the watch has found
 * while it held locks. */
#ifndef ASNAP_HOOKS_DEFERRED_H
#define ASNAP_HOOKS_DEFERRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum asnap_deferred_kind {
    ASNAP_DEFERRED_INSERT,  /* a new block is to be recorded */
    ASNAP_DEFERRED_RELEASE, /* a block is to be forgotten, then released */
    ASNAP_DEFERRED_WATCH,   /* a limit was reached, or records are to be counted for one */
};

struct asnap_walker;

struct asnap_deferred {
    enum asnap_deferred_kind kind;
    uint32_t mode; /* as the root said of `tracing`; watch: which limit (asnap_watch_leave) */
    struct asnap_deferred *next;
    uint64_t key;                /* of the record */
    void *block;                 /* release: NULL where only the record is to go */
    size_t size;                 /* insert */
    void (*release)(void *);     /* release */
    struct asnap_walker *walker; /* insert: has walked the handler's stack */
};

/* A new piece of work, or NULL: no memory. An insertion has a walker that avoids waiting and
 * libgcc. */
struct asnap_deferred *asnap_deferred_create(enum asnap_deferred_kind kind, uint32_t mode);
void asnap_deferred_destroy(struct asnap_deferred *deferred);

/* Leaves work to the hook that this thread is in. */
void asnap_deferred_push(struct asnap_deferred *deferred);

/* Takes all that was left, oldest first; NULL: none. */
struct asnap_deferred *asnap_deferred_take(void);

/* In a child (process.h) whose thread has left nothing to do: what other threads were at is free.
 */
void asnap_deferred_mend(void);

#endif
