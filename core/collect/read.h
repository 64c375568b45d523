/* Reading the inferior's memory, with the reasons when it fails. */
#ifndef ASNAP_COLLECT_READ_H
#define ASNAP_COLLECT_READ_H

#include "allocsnap_inferior.h"

/* The largest piece asked for at once: debuggers are fast in large pieces. */
#define ASNAP_READ_PIECE ((size_t)1 << 20)

/* Fills `buffer`, or fails with UNREADABLE or INTERRUPTED; `what` names the bytes in
 * the message ("the list of shards"). */
struct asnap_error *asnap_read(const struct asnap_memory *memory, uint64_t address, void *buffer,
                               size_t size, const char *what);

/* Nobody knows how much memory there is. */
#define ASNAP_LEFT_UNKNOWN UINT64_MAX

/* A table that is being read: from where, who is asked whether to go on, and what is left. */
struct asnap_inferior {
    const struct asnap_memory *memory;
    const struct asnap_progress *progress; /* may be NULL */
    uint64_t left;                         /* bytes that the table can still have */
};

/* Begins with all that there is in the inferior's memory. */
struct asnap_inferior asnap_inferior_of(const struct asnap_memory *memory,
                                        const struct asnap_progress *progress);

/* Counts `bytes` of the table as read. DAMAGED where there cannot be as many: it refers to the
 * same memory again and again. */
struct asnap_error *asnap_inferior_take(struct asnap_inferior *inferior, uint64_t bytes);

/* Tells how far a step has come; INTERRUPTED where it is to end. A step of "" only asks. */
struct asnap_error *asnap_inferior_ask(const struct asnap_inferior *inferior, const char *step,
                                       uint64_t done, uint64_t total);

/* The same in a loop, where `place` is the number of the turn: asks in each 65536th. */
static inline struct asnap_error *asnap_inferior_ask_often(const struct asnap_inferior *inferior,
                                                           uint64_t place)
{
    return place % 65536 == 65535 ? asnap_inferior_ask(inferior, "", 0, 0) : NULL;
}

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
 * saved page by page. `step` names the work. DAMAGED where two extents overlap. */
struct asnap_error *asnap_read_extents(struct asnap_inferior *inferior,
                                       struct asnap_extent *extents, size_t count, const char *step,
                                       asnap_extent_visitor *visit, void *context);

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
