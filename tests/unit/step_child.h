/* A child that goes one instruction at a time, while its memory is read. */
#ifndef ASNAP_TEST_STEP_CHILD_H
#define ASNAP_TEST_STEP_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "allocsnap_base.h"
#include "unit.h"

/* In the child: from here to the next call it is looked at. */
void step_child_stop(void);

/* Has a child run `be_the_child`, which calls step_child_stop twice, and calls `agrees` after each
 * instruction in between until it says false. Returns how many there were; -1: it has said so. */
long step_child(void (*be_the_child)(void), bool (*agrees)(pid_t child));

/* The memory of a child: of `*child`, which must stay. */
struct asnap_memory step_child_memory(pid_t *child);

/* Memory that both see. */
void *step_child_share(size_t size);

#endif
