/* The table that the hooks keep in the inferior: finding it, its status, requests to the
 * hooks, and its raw contents. */
#ifndef ALLOCSNAP_TRACING_H
#define ALLOCSNAP_TRACING_H

#include "allocsnap_inferior.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Finds the table in the inferior. Tries `candidate` first (the address of the
 * symbol `allocsnap_table`; 0 where it has none), then looks for the magic at the
 * page starts of the readable and writable regions. Fails with NO_HOOKS,
 * VERSION, UNSUPPORTED (32-bit program) or INTERRUPTED. `progress` may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_root_find(const struct asnap_memory *memory, uint64_t candidate,
                const struct asnap_region *regions, size_t region_count,
                const struct asnap_progress *progress, uint64_t *root_address);

/* What can be asked of the hooks. They obey at the program's next call of an
 * allocation function. */
enum asnap_request {
    ASNAP_REQUEST_START = 1,      /* trace, beginning with no traces */
    ASNAP_REQUEST_STOP = 2,       /* do not trace, and drop all traces */
    ASNAP_REQUEST_CLEAR = 4,      /* drop all traces */
    ASNAP_REQUEST_RESET_PEAK = 8, /* let the peak be what is traced */
};

/* No sample has a larger period. */
#define ASNAP_SAMPLE_PERIOD_MAX (UINT64_C(1) << 40)

/* No more freed blocks are kept. */
#define ASNAP_FREED_MAX (UINT64_C(1) << 24)

#define ASNAP_UNSEEN_BYTES 1536

/* What the hooks say of themselves. Where a request waits, `tracing`, `frame_limit`
 * and the traced memory are as they will be once it is obeyed. */
struct asnap_status {
    char hooks_version[24];
    uint32_t table_version;
    bool tracing;
    bool request_pending;    /* a start, stop or clear the hooks have not obeyed yet */
    uint32_t frame_limit;    /* frames kept of a stack */
    uint64_t sample_period;  /* bytes; 0: every block is traced. Else only a sample of them is
                                (asnap_snapshot_sample_period), and what is traced and the peak
                                are estimates */
    uint64_t traced_size;    /* bytes in live traced blocks */
    uint64_t traced_count;   /* live traced blocks */
    uint64_t sampled_count;  /* of a sample: those of them that were recorded */
    uint64_t peak_size;      /* the most that traced_size has been */
    uint64_t tracker_size;   /* memory of the hooks themselves, bytes */
    uint64_t dropped;        /* blocks that there was no memory to record */
    uint64_t refused;        /* blocks of the program's pools that no record can be made of */
    uint64_t freed_capacity; /* so many of the blocks that were freed last are kept; 0: none */
    uint32_t busy_shards;    /* parts of the table that were being changed */
    bool is_whole;           /* every block since the program's start was recorded, as far as the
                                hooks know: nothing was started, dropped or refused later */
    uint32_t requests;       /* what waits to be obeyed: asnap_request flags */
    char unseen[ASNAP_UNSEEN_BYTES]; /* which calls of the program are not seen, and what that
                                        makes of the numbers, in a sentence; "" where none are
                                        known of */
};

/* Reads the status at `root_address` (from asnap_root_find). */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_status_read(const struct asnap_memory *memory,
                                                                 uint64_t root_address,
                                                                 struct asnap_status *status);

/* Bytes to be written into the inferior. */
struct asnap_write {
    uint64_t address;
    uint32_t size;
    uint8_t bytes[44];
};

#define ASNAP_REQUEST_WRITES 2

/* What a START may ask for; all zero is what was there before. */
struct asnap_start {
    uint32_t frame_limit;   /* frames to keep of a stack; 0: as many as before */
    bool sets_period;       /* else it is as before */
    uint64_t sample_period; /* bytes, at most ASNAP_SAMPLE_PERIOD_MAX; 0: trace every block */
};

/* What to write, in this order and while the process is stopped, for the hooks to
 * obey a request; requests that still wait are obeyed with it. Nothing happens
 * before the last byte is written. `start` is for START; NULL is all zero. Fails as
 * asnap_status_read does, with INVALID_ARGUMENT, and with VERSION where the hooks are of a release
 * that traces every block only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_request_prepare(const struct asnap_memory *memory, uint64_t root_address,
                      enum asnap_request request, const struct asnap_start *start,
                      struct asnap_write writes[ASNAP_REQUEST_WRITES]);

/* What the hooks watch for. */
enum asnap_watch_kind {
    ASNAP_WATCH_SIZE = 0,   /* more bytes than the limit are traced */
    ASNAP_WATCH_BLOCK = 1,  /* a request of as many bytes as the limit, or more */
    ASNAP_WATCH_COUNT = 2,  /* more blocks than the limit are traced */
    ASNAP_WATCH_FAILED = 3, /* a request that gets nothing */
    ASNAP_WATCH_KINDS = 4,
};

/* Limits, of each kind one; 0: none. */
struct asnap_watch_limits {
    uint64_t size;  /* bytes */
    uint64_t block; /* bytes */
    uint64_t count; /* blocks */
    bool failed;
};

/* A limit that was reached, as it was then. */
struct asnap_reached {
    uint64_t times;   /* how often one of this kind was */
    uint64_t limit;   /* which one */
    uint64_t size;    /* bytes that were traced with the request */
    uint64_t count;   /* blocks that were traced when it was done */
    uint64_t request; /* bytes that were asked for; 0: not known (COUNT) */
    uint32_t thread;  /* the kernel's number of the thread that asked */
};

struct asnap_watch {
    struct asnap_watch_limits limits; /* each is none once it is reached */
    bool is_pending;                  /* they have not been taken by the hooks yet */
    bool of_sample;                   /* sizes and counts are estimates */
    uint32_t action;                  /* what the hooks do then: 0, nothing but call
                                         allocsnap_watch_reached; 1, write a line to standard
                                         error; 2, and stop the process; 3, and end it */
    struct asnap_reached reached[ASNAP_WATCH_KINDS];
};

/* Reads what the hooks of the table at `root_address` watch for. Fails as asnap_status_read does,
 * and with VERSION where they are of a release that watches nothing. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_watch_read(const struct asnap_memory *memory,
                                                                uint64_t root_address,
                                                                struct asnap_watch *watch);

#define ASNAP_WATCH_WRITES 3

/* As asnap_request_prepare, for the hooks to watch for these limits in place of all others, and to
 * do nothing then but call allocsnap_watch_reached. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_watch_prepare(const struct asnap_memory *memory, uint64_t root_address,
                    const struct asnap_watch_limits *limits,
                    struct asnap_write writes[ASNAP_WATCH_WRITES]);

/* The memory that is the hooks' own: what they have mapped, and their library's writable parts.
 * Sorted by address, none overlapping. Fails as asnap_status_read does, and with VERSION where the
 * hooks are of a release that does not list it. */
struct asnap_own_ranges;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_own_ranges_create(const struct asnap_memory *memory, uint64_t root_address,
                        struct asnap_own_ranges **own);
ASNAP_API const struct asnap_address_range *
asnap_own_ranges_list(const struct asnap_own_ranges *own, size_t *count);
ASNAP_API void asnap_own_ranges_destroy(struct asnap_own_ranges *own);

/* The validated contents of a table, frames still unnamed. */
struct asnap_raw;

/* Reads the whole table. A table that contradicts itself gives DAMAGED; memory
 * that cannot be read (a truncated core) leaves out the blocks in it, and the
 * notes of the snapshot say so; a root or shard list that cannot be read gives
 * UNREADABLE. NOT_TRACING where tracing is off. `moving` says that other threads of the
 * program go on meanwhile (a breakpoint's condition): blocks that come or go may then be in
 * it or not, and a part of the table that does not add up counts as being changed, and not
 * as damaged. `progress` may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_raw_read(const struct asnap_memory *memory,
                                                              uint64_t root_address, bool moving,
                                                              const struct asnap_progress *progress,
                                                              struct asnap_raw **raw);

/* The blocks that were freed last, where the hooks keep them (ALLOCSNAP_FREED). */
struct asnap_freed {
    uint64_t capacity; /* so many are kept; 0: none */
    uint64_t count; /* blocks that were freed since the start, or since the records were dropped */
    uint64_t lost;  /* of these: not kept, since another thread was held up at their place */
    uint64_t shown; /* so many are there */
};

/* Reads them: `raw` has two traces of each, those of the allocations first and then, in the same
 * order, those of the frees, whose stack, thread and time they have; the block that was freed last
 * is the first of each half. Otherwise as asnap_raw_read. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_freed_read(const struct asnap_memory *memory, uint64_t root_address, bool moving,
                 const struct asnap_progress *progress, struct asnap_freed *freed,
                 struct asnap_raw **raw);

/* Calls that were to free, or to resize, what is no live traced block, where the hooks keep freed
 * blocks. */
struct asnap_errors {
    bool is_kept;
    uint64_t twice_count;   /* since the start, or since the records were dropped: calls for a block
                               that had been freed before */
    uint64_t unknown_count; /* likewise for one of which nothing is known: it was not traced, or
                               freed so long ago that it is not among the freed blocks any more */
    uint64_t twice_shown;   /* so many of these are there, the last ones */
    uint64_t unknown_shown;
    uint32_t newest; /* when a block was freed last, as asnap_trace has it; 0: none is kept */
};

/* Reads them: `raw` has three traces of each, all of one kind behind each other: those of the calls
 * first, and then, in the same order, where each block was freed before, and where it was
 * allocated. Of each kind those with blocks that were freed before come first, the last one at the
 * beginning. Of unknown blocks the size is 0, and the last two have neither stack nor thread nor
 * time. Otherwise as asnap_raw_read. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_errors_read(const struct asnap_memory *memory, uint64_t root_address, bool moving,
                  const struct asnap_progress *progress, struct asnap_errors *errors,
                  struct asnap_raw **raw);

/* What was ever allocated, where the hooks count it (ALLOCSNAP_TOTALS). */
enum asnap_totals_kind {
    ASNAP_TOTALS_ALLOCATED = 0, /* all */
    ASNAP_TOTALS_TEMPORARY = 1, /* freed by their thread before it allocated or freed another */
};

struct asnap_totals_told {
    bool is_kept;
    bool of_sample; /* nothing is counted, since only a sample of the blocks is traced */
    uint64_t lost;  /* blocks that are not counted, for want of memory */
};

/* Reads them, since tracing began or the records were dropped. A snapshot that is made of `raw` has
 * sums by stack and no blocks: filters and the keys of frames are for it, and the exports that sum
 * stacks up. Otherwise as asnap_raw_read. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_totals_read(const struct asnap_memory *memory, uint64_t root_address, bool moving,
                  const struct asnap_progress *progress, enum asnap_totals_kind kind,
                  struct asnap_totals_told *told, struct asnap_raw **raw);

#define ASNAP_HISTORY_POINTS_MAX 2048

/* What was traced at one moment. */
struct asnap_history_point {
    uint64_t size;  /* bytes */
    uint64_t count; /* blocks */
};

/* How much was traced over the time since tracing began, or since the records were dropped, where
 * the hooks keep it (ALLOCSNAP_HISTORY). Times are in hundredths of a second. */
struct asnap_history {
    bool is_kept;
    bool of_sample;  /* all are estimates */
    uint64_t start;  /* when the hooks began: nanoseconds since 1970 */
    uint64_t begin;  /* how long after that the first point was */
    uint64_t period; /* from one point to the next */
    uint64_t count;  /* of points */
    struct asnap_history_point now;
    struct asnap_history_point points[ASNAP_HISTORY_POINTS_MAX];
};

/* Reads it. Fails as asnap_status_read does, with DAMAGED also where what is kept cannot be true,
 * with UNREADABLE where points cannot be read, and with INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_history_read(const struct asnap_memory *memory,
                                                                  uint64_t root_address,
                                                                  struct asnap_history *history);

/* Tells that the core file which `raw` is from lacks `bytes` of the program's
 * memory (asnap_core_map_missing); snapshots made of it say so. 0: nothing. */
ASNAP_API void asnap_raw_set_missing(struct asnap_raw *raw, uint64_t bytes);

/* Tells, in a line, what else `raw` lacks that the table does not know of; snapshots made of it say
 * so. Fails with NO_MEMORY or INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_raw_add_note(struct asnap_raw *raw,
                                                                  const char *note);

ASNAP_API size_t asnap_raw_trace_count(const struct asnap_raw *raw);
ASNAP_API void asnap_raw_destroy(struct asnap_raw *raw);

#ifdef __cplusplus
}
#endif

#endif
