/* The check mode: each walk is compared with that of libgcc's unwinder at the same moment.
 * ALLOCSNAP_CHECK=FILE turns it on. Stacks that differ, and at exit how many there were, are
 * appended to the file. */
#ifndef ASNAP_HOOKS_WALK_CHECK_H
#define ASNAP_HOOKS_WALK_CHECK_H

#include <stdbool.h>

#include "walker.h"

extern bool asnap_walk_check_on;

/* Asks for comparisons, once they can begin. False: the file cannot be written, its name is too
 * long, or there is no libgcc. */
bool asnap_walk_check_into(const char *file);

/* Begins with them, where they were asked for. In a constructor: before that, libgcc is not
 * ready. */
void asnap_walk_check_begin(void);

/* Compares what the walker has just walked; to be called by the function that was called
 * by the hook that `caller` called, or deeper. */
void asnap_walk_check(struct asnap_walker *walker, const struct asnap_caller *caller);

#endif
