/* A snapshot of few blocks, of several modules, threads, ages and sizes, for the tests of keys. */
#ifndef ASNAP_TEST_KEYED_HEAP_H
#define ASNAP_TEST_KEYED_HEAP_H

#include "snapshot.h"
#include "unit.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define SECOND ASNAP_TIMES_PER_SECOND
#define KEYED_TRACES 7

extern const struct asnap_trace keyed_traces[KEYED_TRACES];

/* A snapshot of these blocks, which may be others with the same stacks and threads. */
struct asnap_snapshot *keyed_snapshot(const struct asnap_trace *blocks, size_t count);

/* "SIZE COUNT LABEL", then the frame or the bounds of a row. */
const char *keyed_row(const struct asnap_statistics *statistics, size_t index);

/* Expects these rows; destroys the snapshot. */
void keyed_expect(struct asnap_snapshot *snapshot, enum asnap_key key, bool cumulative,
                  const char *const *rows, size_t count);

/* Has five of the blocks begin with vtables: two of one class, and one whose name is not known.
 * `newer`: with other names. */
struct asnap_error *keyed_add_types(const struct asnap_snapshot *snapshot, bool newer);

/* What owns the first three blocks: one variable the first and the third, objects the second. */
struct asnap_error *keyed_add_owners(const struct asnap_snapshot *snapshot);

#endif
