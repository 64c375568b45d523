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
    bool is_walked;              /* release: it is known where the block was freed */
    struct asnap_walker *walker; /* has walked the handler's stack; NULL: nobody has */
    uint32_t thread;             /* insert: who allocated the block, and when */
    uint32_t time;
    uint64_t *awaited; /* insert: the key, while there is to be a record (asnap_deferred_cancel) */
    bool is_awaited;   /* insert: it was pushed */
};

/* A new piece of work, or NULL: no memory. */
struct asnap_deferred *asnap_deferred_create(enum asnap_deferred_kind kind, uint32_t mode);

/* Gives it a walker that avoids waiting and libgcc. False: no memory. */
bool asnap_deferred_take_walker(struct asnap_deferred *deferred);

void asnap_deferred_destroy(struct asnap_deferred *deferred);

/* Leaves work to the hook that this thread is in. An insertion is awaited from then on, until
 * asnap_deferred_destroy. */
void asnap_deferred_push(struct asnap_deferred *deferred);

/* Takes all that was left, oldest first; NULL: none. */
struct asnap_deferred *asnap_deferred_take(void);

/* ---- blocks that are awaited ----
 *
 * The handler's block may be handed to another thread and freed before the interrupted hook comes
 * on: then there must be no record of it. So whoever takes a block back, and finds no record, also
 * looks here, and then in the table once more. What is cancelled is not recorded from then on: that
 * is decided with the lock held that the second look takes, too (asnap_records_insert_awaited). No
 * thread waits for the one with the handler, which may wait for that thread. */

/* Insertions that are left to be done, and whether there ever was one. */
extern uint32_t asnap_deferred_insertions;
extern bool asnap_deferred_inserts;

/* Whether any is left. To be asked before the table is looked at: what is not left any more is
 * there. */
static inline bool asnap_deferred_is_any_left(void)
{
    return __atomic_load_n(&asnap_deferred_insertions, __ATOMIC_ACQUIRE) != 0;
}

/* Whether that of this key may be among them; as above. */
bool asnap_deferred_awaits(uint64_t key);

/* There is to be no record of this key, or of none of those that are left. Whether one of this key
 * was. */
bool asnap_deferred_cancel(uint64_t key);
void asnap_deferred_cancel_all(void);

/* In a child (process.h) whose thread has left nothing to do: what other threads were at is free.
 * `insert` is called for each block that one of them has left. */
void asnap_deferred_mend(void (*insert)(struct asnap_deferred *deferred));

#endif
