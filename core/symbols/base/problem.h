/* Errors that do not end a step but are told afterwards. */
#ifndef ASNAP_SYMBOLS_PROBLEM_H
#define ASNAP_SYMBOLS_PROBLEM_H

#include "allocsnap.h"

/* Sets aside an error that a bad file gave: keeps it in `problem` if that is NULL,
 * else destroys it, and returns NULL. Returns NO_MEMORY and INTERRUPTED, which end
 * the step, as they are. `error` may be NULL. */
struct asnap_error *asnap_problem_keep(struct asnap_error *error, struct asnap_error **problem);

#endif
