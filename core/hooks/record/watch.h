/* What the program is to be stopped for: limits that a debugger or the environment has set (struct
 * asnap_table_watch). What has none costs nothing: each is noticed where something rare is done
 * anyway, which a limit makes less rare.
 *
 *   size:   where the slack is used up (traced.h)
 *   block:  where a request is too large to be recorded
 *   count:  where the index of a shard is to grow (record_index.h)
 *   failed: where an allocation has got nothing
 *
 * Whoever reaches a limit holds locks, and is told once it is through. */
#ifndef ASNAP_HOOKS_WATCH_H
#define ASNAP_HOOKS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "root.h"

/* Requests of so many bytes or more are looked at (asnap_watch_large). */
extern uint64_t asnap_watch_large_bytes;

/* Has the calling thread see to a limit that it has reached, or count the records (`kind`
 * ASNAP_TABLE_WATCH_KINDS), as soon as it holds nothing. False: no memory. */
extern bool (*asnap_watch_leave)(uint32_t kind);

/* The limit that is watched for; 0: none. */
static inline uint64_t asnap_watch_limit(enum asnap_table_watch_kind kind)
{
    return __atomic_load_n(&asnap_root_and_watch.watch.armed[kind], __ATOMIC_RELAXED);
}

/* A limit is reached, if no other thread has been first: `traced` bytes with the one of `request`
 * bytes that does it. */
void asnap_watch_reach(enum asnap_table_watch_kind kind, uint64_t traced, uint64_t request);

/* A shard has as many records as it may without a look at all. */
void asnap_watch_count(void);

/* A request of asnap_watch_large_bytes or more. False: no record can be made of it. */
bool asnap_watch_large(uint64_t request);

/* A request got nothing. */
void asnap_watch_failed(uint64_t request);

/* Takes what a debugger has asked for. While requests are obeyed. */
void asnap_watch_obey(void);

#endif
