/* What a forked child does before it works on its copy of the table (process.h). */
#ifndef ASNAP_HOOKS_FORK_H
#define ASNAP_HOOKS_FORK_H

/* Mends the table, or waits until another thread has; between asnap_gate_enter and
 * asnap_gate_leave, with no lock held. */
void asnap_fork_mend(void);

#endif
