/* Reading the inferior's memory, with the reasons when it fails. */
#ifndef ASNAP_COLLECT_READ_H
#define ASNAP_COLLECT_READ_H

#include "allocsnap.h"

/* The largest piece asked for at once: debuggers are fast in large pieces. */
#define ASNAP_READ_PIECE ((size_t)1 << 20)

/* Fills `buffer`, or fails with UNREADABLE or INTERRUPTED; `what` names the bytes in
 * the message ("the list of shards"). */
struct asnap_error *asnap_read(const struct asnap_memory *memory, uint64_t address, void *buffer,
                               size_t size, const char *what);

/* A piece of the inferior that is wanted: `size` bytes at `address`. */
struct asnap_extent {
    uint64_t address;
    size_t size;
    uint64_t tag; /* the asker's own */
};

/* Is handed one extent's bytes. `readable[i]` tells whether the i-th page (by
 * address, counted from the one that holds the extent's first byte) was readable;
 * NULL: all were. Unreadable bytes are zero. */
typedef struct asnap_error *asnap_extent_visitor(void *context, const struct asnap_extent *extent,
                                                 const uint8_t *bytes, const bool *readable);

/* Reads the extents in large pieces, joining neighbours, and hands them to `visit` in
 * order of address; sorts `extents`. Where a piece cannot be read, what can be is
 * saved page by page. `step` names the work for `progress`, which may be NULL. */
struct asnap_error *asnap_read_extents(const struct asnap_memory *memory,
                                       struct asnap_extent *extents, size_t count, const char *step,
                                       const struct asnap_progress *progress,
                                       asnap_extent_visitor *visit, void *context);

/* Reports progress; INTERRUPTED where it is to end. */
struct asnap_error *asnap_read_progress(const struct asnap_progress *progress, const char *step,
                                        uint64_t done, uint64_t total);

#define ASNAP_READ_PAGE ((size_t)4096)

/* Whether an item of an extent could be read: `size` bytes (not 0, at most a page) from
 * offset `at` on, which can reach into a second page. */
static inline bool asnap_extent_readable(const bool *readable, const struct asnap_extent *extent,
                                         size_t at, size_t size)
{
    if (readable == NULL)
        return true;
    size_t offset = (size_t)(extent->address % ASNAP_READ_PAGE) + at;
    return readable[offset / ASNAP_READ_PAGE] && readable[(offset + size - 1) / ASNAP_READ_PAGE];
}

#endif
