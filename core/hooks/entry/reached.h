/* What is done when a limit of the watch was reached. */
#ifndef ASNAP_HOOKS_REACHED_H
#define ASNAP_HOOKS_REACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocsnap_table.h"

/* Has limits that are reached be told of at the gate. */
void asnap_reached_init(void);

/* Publishes what was reached, calls allocsnap_watch_reached, and does what is asked for. `kinds`:
 * bits of asnap_table_watch_kind. The calling thread holds nothing, and is at no work on the
 * table. */
void asnap_reached_tell(uint32_t kinds);

/* The line that is written of a limit that was reached, with its end, of less than
 * ASNAP_REACHED_LINE bytes. `then`: what comes next, or "". Its length. */
enum { ASNAP_REACHED_LINE = 256 };
size_t asnap_reached_line(char *line, enum asnap_table_watch_kind kind,
                          const struct asnap_table_reached *reached, bool is_sample,
                          const char *then);

#endif
