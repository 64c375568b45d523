/* How much memory the control groups of this process let it have (cgroups(7)). */
#ifndef ASNAP_HOOKS_MEMORY_LIMIT_H
#define ASNAP_HOOKS_MEMORY_LIMIT_H

#include <stdint.h>

/* The least limit of the group that `groups` names (/proc/self/cgroup) and of those above it, of
 * either version, in bytes; UINT64_MAX: none is known. `mount` is where they are seen
 * (/sys/fs/cgroup). */
uint64_t asnap_memory_limit(const char *groups, const char *mount);

#endif
