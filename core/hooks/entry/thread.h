/* What the hooks keep for each thread. */
#ifndef ASNAP_HOOKS_THREAD_H
#define ASNAP_HOOKS_THREAD_H

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
    uint64_t entered_at;    /* while RECORDING: the stack pointer of the hook's caller */
    const void *wrapping;   /* the operator new underneath that is being called */
    void *releasing;        /* the block whose operator delete is being called */
    const char *last_block; /* the last that was recorded, and its size */
    size_t last_size;
    struct asnap_deferred *deferred; /* see deferred.h */
    uint32_t deferred_count;         /* about how many they are */
    uint32_t nested;                 /* walks of handlers that have interrupted each other */
    uint64_t nested_in;              /* entered_at of the hook that they have interrupted */
    struct asnap_walker *walker;     /* NULL until it is needed */
};

extern __thread struct asnap_thread asnap_thread;

/* Makes this thread's walker, where it has none; NULL: no memory. It goes to another thread
 * when this one ends. */
struct asnap_walker *asnap_thread_make_walker(void);

/* Must be called once before asnap_thread_make_walker. */
void asnap_thread_init(void);

/* Gives back the memory of walkers whose threads have ended. */
void asnap_thread_drop_pool(void);

/* Keeps the walkers that no thread has still across a fork. */
void asnap_thread_lock(void);
void asnap_thread_unlock(void);

#endif
