/* The blocks at an address that were freed, and calls that freed them again. */
#ifndef ASNAP_RENDER_LIVES_H
#define ASNAP_RENDER_LIVES_H

#include "error.h"

/* Goes through them: `next` is 0 to begin with. */
struct asnap_lives {
    const struct asnap_trace *traces;
    size_t count; /* blocks that were freed; each has two traces */
    size_t next;
    size_t left;  /* that are to be shown */
    uint32_t now; /* the newest time that is known */
};

/* Where a block was allocated, and where it was freed. */
struct asnap_life {
    const struct asnap_trace *allocated;
    const struct asnap_trace *freed;
};

struct asnap_error *asnap_lives_init(struct asnap_lives *lives,
                                     const struct asnap_snapshot *snapshot,
                                     const struct asnap_render_options *options);

/* The next block that held `address`. False: there is none. */
bool asnap_lives_next(struct asnap_lives *lives, uint64_t address, struct asnap_life *life);

/* Calls that were to free what is no live traced block. */
struct asnap_mistakes {
    const struct asnap_trace *traces;
    size_t count;
    size_t twice; /* of these, the first ones: blocks that had been freed */
    size_t shown;
    uint32_t now; /* the newest time that is known */
};

/* One of them. */
struct asnap_mistake {
    const struct asnap_trace *again;     /* the call */
    const struct asnap_trace *freed;     /* where it was freed before; NULL: not known */
    const struct asnap_trace *allocated; /* likewise */
};

struct asnap_errors;
struct asnap_error *asnap_mistakes_init(struct asnap_mistakes *mistakes,
                                        const struct asnap_snapshot *snapshot,
                                        const struct asnap_errors *errors,
                                        const struct asnap_render_options *options);

struct asnap_mistake asnap_mistake_at(const struct asnap_mistakes *mistakes, size_t place);

#endif
