/* What the hooks keep for each thread. */
#ifndef ASNAP_HOOKS_THREAD_H
#define ASNAP_HOOKS_THREAD_H

#include <stddef.h>
#include <stdint.h>

struct asnap_deferred;

enum asnap_activity {
    ASNAP_IDLE = 0,
    ASNAP_RECORDING, /* a hook is at work; an allocation now comes from a signal handler */
    ASNAP_OWN,       /* the hooks themselves call libc; what it allocates is not the program's */
};

struct asnap_thread {
    enum asnap_activity activity;
    const void *wrapping;   /* the operator new underneath that is being called */
    void *releasing;        /* the block whose operator delete is being called */
    const char *last_block; /* the last that was recorded, and its size */
    size_t last_size;
    struct asnap_deferred *deferred; /* see deferred.h */
    uint64_t *frames;                /* room for stacks too deep for a local array */
    size_t frames_capacity;
};

extern __thread struct asnap_thread asnap_thread;

/* Room for `limit` return addresses that belongs to this thread, or NULL. */
uint64_t *asnap_thread_frames(size_t limit);

/* Must be called once before asnap_thread_frames. */
void asnap_thread_init(void);

#endif
