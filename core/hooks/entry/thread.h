/* What the hooks keep for each thread. */
#ifndef ASNAP_HOOKS_THREAD_H
#define ASNAP_HOOKS_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asnap_deferred;
struct asnap_walker;

enum asnap_activity {
    ASNAP_IDLE = 0,
    ASNAP_RECORDING, /* a hook is at work; an allocation now comes from a signal handler */
    ASNAP_OWN,       /* the hooks themselves call libc; what it allocates is not the program's */
};

struct asnap_thread {
    enum asnap_activity activity;
    uint64_t entered_at;  /* while RECORDING: the stack pointer of the hook's caller */
    const void *wrapping; /* the operator new underneath that is being called */
    void *releasing;      /* the block whose operator delete is being called */
    uint64_t mistaken;    /* what errors.h says of that one: it was not known; 0: it was */
    uint64_t newest;      /* where totals are kept: the complement of the key of what it has
                             allocated last; 0: it has freed something since */
    uint64_t last_block;  /* the last that was recorded, 0 for none, and its size. The complement
                             of its address, which a leak detector must not take for a use */
    size_t last_size;
    struct asnap_deferred *deferred; /* see deferred.h */
    uint32_t deferred_count;         /* about how many they are */
    uint32_t nested;                 /* walks of handlers that have interrupted each other */
    uint64_t nested_in;              /* entered_at of the hook that they have interrupted */
    struct asnap_walker *walker;     /* NULL until it is needed */
    bool borrows;                    /* its walker goes back after each call: nothing will tell
                                        when this thread has ended */
};

extern __thread struct asnap_thread asnap_thread;

#endif
