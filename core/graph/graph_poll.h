/* Asking on the way whether the user wants to go on. */
#ifndef ASNAP_GRAPH_GRAPH_POLL_H
#define ASNAP_GRAPH_GRAPH_POLL_H

#include "allocsnap.h"
#include "error.h"

/* How many blocks are gone through from one question to the next. */
#define ASNAP_POLL_EVERY 65536u

/* Tells `progress`, which may be NULL, how far a step has come. Fails with INTERRUPTED where it
 * says so. */
static inline struct asnap_error *asnap_graph_poll(const struct asnap_progress *progress,
                                                   const char *step, uint64_t done, uint64_t total)
{
    if (progress == NULL || progress->report(progress->context, step, done, total))
        return NULL;
    return asnap_error_interrupted(step);
}

#endif
