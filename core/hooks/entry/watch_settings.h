/* What the environment wants the program to be stopped for. */
#ifndef ASNAP_HOOKS_WATCH_SETTINGS_H
#define ASNAP_HOOKS_WATCH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"

/* ALLOCSNAP_WATCH: limits between commas, each of another kind: a number of bytes, or `cgroup` with
 * a margin or without (`cgroup-10%`), `block=BYTES`, `count=BLOCKS`, `failed`. Where no control
 * group has a limit, that is said on standard error, and there is none. False: it is something
 * else. */
bool asnap_watch_parse(const char *value, uint64_t limits[ASNAP_TABLE_WATCH_KINDS]);

/* ALLOCSNAP_WATCH_ACTION: abort, stop, report, debugger. */
bool asnap_watch_parse_action(const char *value, uint32_t *action);

#endif
