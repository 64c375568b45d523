/* The memory layout that the hooks write and a reader in another process reads.
 *
 * docs/table-layout.md describes it in prose, with the rules a reader can rely on.
 * Every field has a fixed width and every address is a plain 64-bit number, so
 * that a reader need not share the writer's word size. Byte order is the
 * writer's; `byte_order` in the root tells.
 *
 * The rules, at every instruction of every thread:
 *   - a record is live if and only if its `key` is not 0; `key` is stored last
 *     when a record is published and zeroed first when it is withdrawn;
 *   - records never move: growth adds chunks, and only the writers' buckets,
 *     which no reader needs, are split;
 *   - nodes, threads and modules are written once, before their count covers
 *     them, and a node's parent has a smaller index than the node;
 *   - a shard whose `lock` is not 0 is being changed: its `count` and `size` may
 *     be one operation away from its records.
 */
#ifndef ALLOCSNAP_TABLE_H
#define ALLOCSNAP_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Sixteen bytes with the terminating NUL, at the start of the root. */
#define ASNAP_TABLE_MAGIC "allocsnap-table"

/* In its place, where another copy of the hooks is at work in the process: then nothing else
 * is here, but that `self` is the address of that copy's root. */
#define ASNAP_TABLE_ASIDE_MAGIC "allocsnap-aside"

/* Changes with every change of layout or meaning. */
#define ASNAP_TABLE_VERSION UINT32_C(5)

/* The oldest version that is laid out so that a reader of this one can read it: version 3 has no
 * `own_pages`, and version 4 no samples. The root of both ends with `domain_names`. */
#define ASNAP_TABLE_VERSION_OLDEST UINT32_C(3)
#define ASNAP_TABLE_VERSION_OWN_PAGES UINT32_C(4)
#define ASNAP_TABLE_VERSION_SAMPLES UINT32_C(5)
#define ASNAP_TABLE_ROOT_BYTES_BEFORE_SAMPLES UINT32_C(13568)

/* `byte_order` as its writer stores it. */
#define ASNAP_TABLE_BYTE_ORDER UINT32_C(0x01020304)

/* The root is aligned to this many bytes, so that a search for the magic looks
 * at one place per page. */
#define ASNAP_TABLE_ROOT_ALIGNMENT 4096

#define ASNAP_TABLE_SHARDS UINT32_C(64)
#define ASNAP_TABLE_CHUNK_RECORDS UINT32_C(1024)
#define ASNAP_TABLE_SHARD_CHUNKS UINT32_C(16384) /* no shard has more */
#define ASNAP_TABLE_CHUNK_NODES UINT32_C(8192)
#define ASNAP_TABLE_NODE_CHUNKS UINT32_C(16384)
#define ASNAP_TABLE_CHUNK_THREADS UINT32_C(1024)
#define ASNAP_TABLE_THREAD_CHUNKS UINT32_C(128)
#define ASNAP_TABLE_CHUNK_MODULES UINT32_C(64)
#define ASNAP_TABLE_MODULE_CHUNKS UINT32_C(1024)
#define ASNAP_TABLE_BUILD_ID_BYTES UINT32_C(32)
#define ASNAP_TABLE_DOMAINS UINT32_C(256)
#define ASNAP_TABLE_DOMAIN_NAME_BYTES UINT32_C(32)

/* The `parent` of an origin. */
#define ASNAP_TABLE_NONE UINT32_MAX

/* Frame limits a request may carry, and the largest `total_nframe` (both as in
 * tracemalloc). */
#define ASNAP_TABLE_FRAME_LIMIT_MAX UINT32_C(65535)
#define ASNAP_TABLE_FRAME_LIMIT_DEFAULT UINT32_C(16)

/* No block is as large as the address space of a program. */
#define ASNAP_TABLE_SIZE_BITS 47
#define ASNAP_TABLE_SIZE_LIMIT (UINT64_C(1) << ASNAP_TABLE_SIZE_BITS)

/* The sizes of a shard's blocks together are below this, so that no sum of any blocks, nor the
 * peak, needs more than 63 bits. */
#define ASNAP_TABLE_SHARD_SIZE_LIMIT (UINT64_C(1) << 57)

/* Times are in units of 10 ms since `start_realtime`; those beyond the last one are
 * stored as the last. */
#define ASNAP_TABLE_TIMES_PER_SECOND UINT32_C(100)
#define ASNAP_TABLE_TIME_LAST (UINT32_MAX - 1)

/* `tracing` where every block is recorded; where it is larger, only a sample of them is. */
#define ASNAP_TABLE_TRACING_ALL UINT32_C(1)

/* No sample has a larger period, in bytes. */
#define ASNAP_TABLE_SAMPLE_PERIOD_MAX (UINT64_C(1) << 40)

/* `estimated_count` is in parts of a block, this many bits of them. */
#define ASNAP_TABLE_ESTIMATE_BITS 16

/* The bytes of a module's path, at most. */
#define ASNAP_TABLE_PATH_BYTES UINT32_C(4096)

/* One live block. */
struct asnap_table_record {
    uint64_t key;    /* bits 0-55 address, bits 56-63 index into `domains`; 0: not live */
    uint64_t extent; /* bits 0-46 size, bytes the program asked for; bits 47-63 thread */
    uint32_t stack;  /* node of the most recent frame */
    uint32_t time;   /* when it was allocated (see ASNAP_TABLE_TIMES_PER_SECOND) */
};

/* One frame of a stack, or an origin. A stack is read from its node along
 * `parent`, most recent frame first, up to and without an origin: a node with
 * the parent ASNAP_TABLE_NONE, whose `pc` holds the number of older frames that
 * are not kept. More frames than the frame limit may be kept, up to twice as many less
 * one: a reader takes the most recent ones. */
struct asnap_table_node {
    uint64_t pc;     /* bits 0-47 return address (for a frame that a signal interrupted,
                        the interrupted instruction's address plus 1); bits 48-63 module */
    uint32_t parent; /* node of the caller; smaller than this node's own index */
    uint32_t next;   /* writers only: next node of the bucket */
};

/* A file with code through which a stack has gone, also one unloaded since. Module 0 is
 * none: code in no file, or more modules than there are places. A file that is loaded
 * again at the same place gets the number that it had. */
struct asnap_table_module {
    uint64_t start; /* the memory it was loaded into: [start, end) */
    uint64_t end;
    uint64_t path; /* address of `path_bytes` bytes and a NUL */
    uint32_t path_bytes;
    uint32_t build_id_bytes; /* 0: it has none */
    uint8_t build_id[ASNAP_TABLE_BUILD_ID_BYTES];
};

/* Memory of the hooks' own: a mapping, or a writable part of their library. Free places have the
 * start 0. Where `bytes` is 0, nothing is there yet. */
struct asnap_table_own_range {
    uint64_t start;
    uint64_t bytes;
};

#define ASNAP_TABLE_OWN_RANGES UINT32_C(255)

/* A page of the list of these; it is the hooks' own memory as well. */
struct asnap_table_own_page {
    uint64_t next; /* address of the next page; 0: there is none */
    uint32_t from; /* writers only: where to look for a free place */
    uint32_t reserved;
    struct asnap_table_own_range ranges[ASNAP_TABLE_OWN_RANGES];
};

/* One part of the table, by address (asnap_table_shard_of). */
struct asnap_table_shard {
    uint32_t lock;        /* 0: at rest; else a writer is at work */
    uint32_t used;        /* records [0, used) have been handed out at least once */
    uint64_t count;       /* live records */
    uint64_t size;        /* sum of their sizes, below ASNAP_TABLE_SHARD_SIZE_LIMIT */
    uint64_t chunks;      /* address of `chunk_count` addresses of chunks */
    uint32_t chunk_count; /* chunks that can be read */

    /* The writers' own. */
    uint32_t chunk_capacity; /* places at `chunks` */
    uint32_t free_head;      /* list of records that are not live */
    uint32_t line_count;     /* of the index */
    uint64_t index;          /* address of where records are by address */
    uint32_t index_limit;    /* records from which on the index is to grow, or they are counted */
    uint32_t watched;        /* not 0: with so many records, those of all shards are counted */
};

/* What a debugger may write while the process is stopped. The hooks compare
 * `sequence` with that of `applied` at each call and obey where it differs. */
struct asnap_table_control {
    uint32_t sequence;    /* raised by 1 with each request; written last */
    uint32_t tracing;     /* 0: do not trace, else do; of `applied`, ASNAP_TABLE_TRACING_ALL, or a
                             larger number that is another one with each start of a sample */
    uint32_t frame_limit; /* 1 to ASNAP_TABLE_FRAME_LIMIT_MAX */
    uint32_t clear;       /* raised by 1 to drop all records */
    uint32_t reset_peak;  /* raised by 1 to set the peak to what is traced now */
    uint32_t reserved;    /* 0 */

    /* 0: every block is recorded. Else one of s bytes is with a probability of
     * 1 - exp(-s / sample_period), an empty one as if it had 1 byte. At most
     * ASNAP_TABLE_SAMPLE_PERIOD_MAX. */
    uint64_t sample_period;
};

/* The functions that the hooks stand before, as bits. */
enum asnap_table_functions {
    ASNAP_TABLE_MALLOC = 1 << 0,
    ASNAP_TABLE_CALLOC = 1 << 1,
    ASNAP_TABLE_REALLOC = 1 << 2,
    ASNAP_TABLE_REALLOCARRAY = 1 << 3,
    ASNAP_TABLE_POSIX_MEMALIGN = 1 << 4,
    ASNAP_TABLE_ALIGNED_ALLOC = 1 << 5,
    ASNAP_TABLE_MEMALIGN = 1 << 6,
    ASNAP_TABLE_VALLOC = 1 << 7,
    ASNAP_TABLE_PVALLOC = 1 << 8,
    ASNAP_TABLE_FREE = 1 << 9,
    ASNAP_TABLE_FREE_SIZED = 1 << 10,
    ASNAP_TABLE_FREE_ALIGNED_SIZED = 1 << 11,
    ASNAP_TABLE_NEW = 1 << 12,             /* any form of operator new */
    ASNAP_TABLE_DELETE = 1 << 13,          /* any form of operator delete */
    ASNAP_TABLE_FUNCTIONS = (1 << 14) - 1, /* all of these */

    /* those that take blocks back and make none; all others make them */
    ASNAP_TABLE_TAKE_BACK = ASNAP_TABLE_FREE | ASNAP_TABLE_FREE_SIZED |
                            ASNAP_TABLE_FREE_ALIGNED_SIZED | ASNAP_TABLE_DELETE,
};

struct asnap_table_root {
    char magic[16];
    uint32_t version;    /* ASNAP_TABLE_VERSION */
    uint32_t byte_order; /* ASNAP_TABLE_BYTE_ORDER */
    uint64_t self;       /* address of this root in its own process */
    uint32_t root_bytes; /* sizes of the structures as the writer knows them */
    uint32_t shard_bytes;
    uint32_t record_bytes;
    uint32_t node_bytes;
    uint32_t shard_count;   /* ASNAP_TABLE_SHARDS */
    uint32_t pointer_bytes; /* of the traced program: 4 or 8 */
    char hooks_version[24]; /* NUL-terminated */

    struct asnap_table_control control; /* what a debugger asks for */
    struct asnap_table_control applied; /* what the hooks have obeyed */

    uint64_t start_realtime; /* when time was 0: CLOCK_REALTIME, nanoseconds */
    uint64_t node_chunks;    /* address of ASNAP_TABLE_NODE_CHUNKS addresses of chunks,
                                each of ASNAP_TABLE_CHUNK_NODES nodes */
    uint64_t thread_chunks;  /* address of ASNAP_TABLE_THREAD_CHUNKS addresses of chunks, each of
                                ASNAP_TABLE_CHUNK_THREADS kernel thread numbers (32 bits) */
    uint64_t module_chunks;  /* address of ASNAP_TABLE_MODULE_CHUNKS addresses of chunks, each of
                                ASNAP_TABLE_CHUNK_MODULES modules */
    uint32_t domain_count;   /* used places of `domains` */
    uint32_t preceded;       /* asnap_table_functions that the program, or a library before the
                                hooks, defines: its calls of them go there */
    uint32_t domains[ASNAP_TABLE_DOMAINS]; /* domain numbers; place 0 holds domain 0 */

    /* What changes while the program runs: kept off the lines that each call reads. */
    uint32_t node_count __attribute__((aligned(64))); /* nodes that can be read */
    uint32_t thread_count;  /* threads that can be read; thread 0 is none: not known */
    uint32_t module_count;  /* modules that can be read; module 0 is none */
    uint32_t passed_on;     /* those of `preceded` that have called a function of the hooks */
    uint64_t tracker_bytes; /* memory mapped for the table, the nodes and their indexes */
    uint64_t dropped;       /* blocks not recorded, for want of memory for the record */
    uint64_t peak_bytes;    /* the most that the shards' sizes together, or of a sample
                               `estimated_size`, were since start, clear or reset */
    uint64_t refused;       /* blocks not recorded, for what the program said of them: a size or
                               address too large, a domain too many, or a shard's limit */
    uint64_t missed_frees;  /* blocks that were given out again without having been freed here */
    uint64_t own_pages;     /* address of the first asnap_table_own_page; 0: there is none */

    struct asnap_table_shard shards[ASNAP_TABLE_SHARDS] __attribute__((aligned(64)));

    /* Names of the domains at the same places of `domains`; "" where there is none. The
     * first byte is stored last, the last byte is always 0. */
    char domain_names[ASNAP_TABLE_DOMAINS][ASNAP_TABLE_DOMAIN_NAME_BYTES];

    /* Of a sample: what is traced, as estimated from the records. Each counts for as many as it
     * stands for, the inverse of the probability with which it was made. */
    uint64_t estimated_size;  /* bytes */
    uint64_t estimated_count; /* blocks, in units of 2^-ASNAP_TABLE_ESTIMATE_BITS */
};

/* ---- the watch: what the program is to be stopped for ---- */

/* It lies behind the root, at this distance from its start. Only where these sixteen bytes are
 * there do the hooks watch. */
#define ASNAP_TABLE_WATCH_OFFSET UINT32_C(13824)
#define ASNAP_TABLE_WATCH_MAGIC "allocsnap-watch"

enum asnap_table_watch_kind {
    ASNAP_TABLE_WATCH_SIZE = 0,   /* more bytes than the limit are traced */
    ASNAP_TABLE_WATCH_BLOCK = 1,  /* a request of as many bytes as the limit, or more */
    ASNAP_TABLE_WATCH_COUNT = 2,  /* more blocks than the limit are traced */
    ASNAP_TABLE_WATCH_FAILED = 3, /* a request that gets nothing; the limit is 1 */
    ASNAP_TABLE_WATCH_KINDS = 4,
};

/* What the hooks do once they have called allocsnap_watch_reached. */
enum asnap_table_watch_action {
    ASNAP_TABLE_WATCH_CALL = 0,   /* nothing: a debugger has a breakpoint there */
    ASNAP_TABLE_WATCH_REPORT = 1, /* write a line to standard error */
    ASNAP_TABLE_WATCH_STOP = 2,   /* that, and stop the process (SIGSTOP) */
    ASNAP_TABLE_WATCH_ABORT = 3,  /* that, and end it (SIGABRT) */
};

/* A limit that was reached, as it was then. */
struct asnap_table_reached {
    uint64_t times;   /* how often one of this kind was; written last */
    uint64_t limit;   /* which one */
    uint64_t size;    /* bytes that were traced with the request */
    uint64_t count;   /* blocks that were traced when it was done, as the shards say */
    uint64_t request; /* bytes that were asked for */
    uint32_t thread;  /* the kernel's number of the thread that asked */
    uint32_t reserved;
};

/* Limits stand at the place of their kind; 0: none. Each is reached once, and is none then. */
struct asnap_table_watch {
    char magic[16];
    uint32_t bytes;                          /* of this structure, as the writer knows it */
    uint32_t obeyed;                         /* the `number` that was */
    uint64_t armed[ASNAP_TABLE_WATCH_KINDS]; /* what the hooks watch for */
    uint32_t action;                         /* asnap_table_watch_action of these */
    uint32_t reserved;

    /* What a debugger writes, and then a new control.sequence in the root. */
    uint64_t asked[ASNAP_TABLE_WATCH_KINDS];
    uint32_t asked_action;
    uint32_t number; /* raised by 1 to have these taken in place of all that are armed */

    struct asnap_table_reached reached[ASNAP_TABLE_WATCH_KINDS];
};

/* ---- the blocks that were freed last ---- */

/* It lies behind the watch, at this distance from the root's start. Only where these sixteen bytes
 * are there do the hooks know of freed blocks. */
#define ASNAP_TABLE_FREED_OFFSET UINT32_C(14120)
#define ASNAP_TABLE_FREED_MAGIC "allocsnap-freed"

/* No ring has more places. */
#define ASNAP_TABLE_FREED_MAX (UINT64_C(1) << 24)

/* In `number` of a place: it is being written, by the process of the number in the lower bits. */
#define ASNAP_TABLE_FREED_BUSY (UINT64_C(1) << 63)

/* A block that was freed: block n, from 1 on, is at the place (n - 1) % capacity. */
struct asnap_table_freed_block {
    uint64_t number; /* n, stored last; 0: none, or ASNAP_TABLE_FREED_BUSY */
    uint64_t key;    /* what its record said */
    uint64_t extent;
    uint32_t stack;
    uint32_t time;
    uint32_t freed_stack; /* node of the frame that freed it; ASNAP_TABLE_NONE: not known */
    uint32_t freed_time;
    uint32_t freed_thread; /* as in an extent */
    uint32_t check;        /* the lower half of n; another before anything else is stored */
};

struct asnap_table_freed {
    char magic[16];
    uint32_t bytes;       /* of this structure, as the writer knows it */
    uint32_t block_bytes; /* of a place */
    uint64_t capacity;    /* places; 0: freed blocks are not kept */
    uint64_t blocks;      /* address of the first place */
    uint64_t count;       /* numbers that were given out */
    uint64_t cleared;     /* those up to this one were before the records were dropped */
    uint64_t lost;        /* of these: not kept, since another thread was writing at their place */
    uint64_t taken_back;  /* numbers since then of what was not freed after all */
};

/* ---- blocks that were freed once too often ---- */

/* It lies behind the freed blocks, at this distance from the root's start. Only where these sixteen
 * bytes are there do the hooks know of such errors. */
#define ASNAP_TABLE_ERRORS_OFFSET UINT32_C(14192)
#define ASNAP_TABLE_ERRORS_MAGIC "allocsnap-error"

/* No ring has more places. */
#define ASNAP_TABLE_ERRORS_MAX (UINT64_C(1) << 16)

enum asnap_table_error_kind {
    ASNAP_TABLE_ERROR_TWICE = 0,   /* the block was freed before */
    ASNAP_TABLE_ERROR_UNKNOWN = 1, /* no record, and none of the freed blocks that are kept */
    ASNAP_TABLE_ERROR_KINDS = 2,
};

/* A call that was to free, or to resize, what is no live traced block. Error n of its kind, from 1
 * on, is at the place (n - 1) % capacity of the kind. */
struct asnap_table_error {
    uint64_t number; /* as in a freed block, `check` too */
    uint64_t key;    /* of the block; its address only where it is not known */
    uint64_t extent; /* twice: what the freed block says, and below; unknown: 0 */
    uint32_t stack;
    uint32_t time;
    uint32_t freed_stack;
    uint32_t freed_time;
    uint32_t freed_thread;
    uint32_t again_stack; /* of the call; ASNAP_TABLE_NONE: not known */
    uint32_t again_time;
    uint32_t again_thread;
    uint32_t reserved;
    uint32_t check;
};

struct asnap_table_error_ring {
    uint64_t count; /* as of freed blocks, and below */
    uint64_t cleared;
    uint64_t lost;
    uint64_t taken_back; /* of a block that operator delete was called for, within which is another
                            one's start, and that one was freed then */
};

struct asnap_table_errors {
    char magic[16];
    uint32_t bytes;       /* of this structure, as the writer knows it */
    uint32_t error_bytes; /* of a place */
    uint64_t capacity;    /* places of each kind; 0: errors are not kept */
    uint64_t errors;      /* address of the first place: those of the first kind, then the others */
    struct asnap_table_error_ring rings[ASNAP_TABLE_ERROR_KINDS];
};

/* ---- what was ever allocated ---- */

/* It lies behind the errors, at this distance from the root's start. Only where these sixteen bytes
 * are there do the hooks know of totals. */
#define ASNAP_TABLE_TOTALS_OFFSET UINT32_C(14296)
#define ASNAP_TABLE_TOTALS_MAGIC "allocsnap-total"

/* Of the blocks that were allocated at one stack since the records were dropped last. Each number
 * is right by itself. */
struct asnap_table_total {
    uint64_t count;
    uint64_t size; /* bytes */
    uint64_t
        temporary_count; /* of them: freed by their thread before it allocated or freed another */
    uint64_t temporary_size;
};

struct asnap_table_totals {
    char magic[16];
    uint32_t bytes;       /* of this structure, as the writer knows it */
    uint32_t total_bytes; /* of a total */
    uint64_t chunks; /* 0: there are no totals; else as the root's node_chunks, with a total for
                        each node. A chunk whose address is 0 has all zeros */
    uint64_t lost;   /* blocks that are in no total, for want of memory */
};

/* ---- how much was traced over the time ---- */

/* It lies behind the totals, at this distance from the root's start. Only where these sixteen bytes
 * are there do the hooks know of it. */
#define ASNAP_TABLE_HISTORY_OFFSET UINT32_C(14336)
#define ASNAP_TABLE_HISTORY_MAGIC "allocsnap-times"

/* There is never room for more points. */
#define ASNAP_TABLE_POINTS_MAX UINT64_C(2048)

/* What was traced at one moment. */
struct asnap_table_point {
    uint64_t size;  /* bytes */
    uint64_t count; /* blocks */
};

struct asnap_table_history {
    char magic[16];
    uint32_t bytes;       /* of this structure, as the writer knows it */
    uint32_t point_bytes; /* of a point */
    uint64_t capacity;    /* points that there is room for; 0: none are kept */
    uint64_t points;      /* address of room for them, behind which there is as much again */
    uint64_t state;       /* asnap_table_history_state, stored last */
};

/* Point i, below `count`, is of the time begin + (i << shift), in the units of records. */
struct asnap_table_history_state {
    uint32_t count;     /* bits 0-15 */
    uint32_t shift;     /* bits 16-23 */
    uint32_t in_second; /* bit 24: the points are in the second room */
    uint32_t begin;     /* bits 32-63 */
};

_Static_assert(sizeof(struct asnap_table_history) == 48, "history layout");
_Static_assert(ASNAP_TABLE_TOTALS_OFFSET + sizeof(struct asnap_table_totals) <=
                   ASNAP_TABLE_HISTORY_OFFSET,
               "history layout");
_Static_assert(sizeof(struct asnap_table_total) == 32, "total layout");
_Static_assert(sizeof(struct asnap_table_totals) == 40, "totals layout");
_Static_assert(ASNAP_TABLE_ERRORS_OFFSET + sizeof(struct asnap_table_errors) <=
                   ASNAP_TABLE_TOTALS_OFFSET,
               "totals layout");
_Static_assert(sizeof(struct asnap_table_error) == 64, "error layout");
_Static_assert(sizeof(struct asnap_table_errors) == 104, "errors layout");
_Static_assert(ASNAP_TABLE_FREED_OFFSET + sizeof(struct asnap_table_freed) <=
                   ASNAP_TABLE_ERRORS_OFFSET,
               "errors layout");
_Static_assert(sizeof(struct asnap_table_freed_block) == 48, "freed block layout");
_Static_assert(sizeof(struct asnap_table_freed) == 72, "freed layout");
_Static_assert(ASNAP_TABLE_WATCH_OFFSET + sizeof(struct asnap_table_watch) <=
                   ASNAP_TABLE_FREED_OFFSET,
               "freed layout");
_Static_assert(sizeof(struct asnap_table_reached) == 48, "reached layout");
_Static_assert(sizeof(struct asnap_table_watch) == 296, "watch layout");
_Static_assert(offsetof(struct asnap_table_watch, asked) == 64, "watch layout");
_Static_assert(sizeof(struct asnap_table_root) <= ASNAP_TABLE_WATCH_OFFSET, "watch layout");
_Static_assert(sizeof(struct asnap_table_record) == 24, "record layout");
_Static_assert(sizeof(struct asnap_table_node) == 16, "node layout");
_Static_assert(sizeof(struct asnap_table_module) == 64, "module layout");
_Static_assert(sizeof(struct asnap_table_shard) == 64, "shard layout");
_Static_assert(sizeof(struct asnap_table_own_page) == 4096, "own page layout");
_Static_assert(sizeof(struct asnap_table_control) == 32, "control layout");
_Static_assert(offsetof(struct asnap_table_root, control) == 80, "root layout");
_Static_assert(offsetof(struct asnap_table_root, domains) == 184, "root layout");
_Static_assert(offsetof(struct asnap_table_root, node_count) == 1216, "root layout");
_Static_assert(offsetof(struct asnap_table_root, refused) == 1256, "root layout");
_Static_assert(offsetof(struct asnap_table_root, missed_frees) == 1264, "root layout");
_Static_assert(offsetof(struct asnap_table_root, own_pages) == 1272, "root layout");
_Static_assert(offsetof(struct asnap_table_root, shards) == 1280, "root layout");
_Static_assert(offsetof(struct asnap_table_root, domain_names) == 5376, "root layout");
_Static_assert(offsetof(struct asnap_table_root, estimated_size) ==
                   ASNAP_TABLE_ROOT_BYTES_BEFORE_SAMPLES,
               "root layout");

#define ASNAP_TABLE_ADDRESS_BITS 56
#define ASNAP_TABLE_PC_BITS 48

/* An origin's number of frames where they were not counted. */
#define ASNAP_TABLE_NOT_COUNTED ((UINT64_C(1) << ASNAP_TABLE_PC_BITS) - 1)

/* The address in a record's key. */
static inline uint64_t asnap_table_key_address(uint64_t key)
{
    return key & ((UINT64_C(1) << ASNAP_TABLE_ADDRESS_BITS) - 1);
}

/* The place in `domains` of a record's domain. */
static inline uint32_t asnap_table_key_domain(uint64_t key)
{
    return (uint32_t)(key >> ASNAP_TABLE_ADDRESS_BITS);
}

/* The return address in a node, or an origin's number of frames. */
static inline uint64_t asnap_table_node_pc(uint64_t pc)
{
    return pc & ((UINT64_C(1) << ASNAP_TABLE_PC_BITS) - 1);
}

/* The module of a node's return address. */
static inline uint32_t asnap_table_node_module(uint64_t pc)
{
    return (uint32_t)(pc >> ASNAP_TABLE_PC_BITS);
}

/* The size in a record's extent, bytes. */
static inline uint64_t asnap_table_extent_size(uint64_t extent)
{
    return extent & (ASNAP_TABLE_SIZE_LIMIT - 1);
}

/* The thread in a record's extent. */
static inline uint32_t asnap_table_extent_thread(uint64_t extent)
{
    return (uint32_t)(extent >> ASNAP_TABLE_SIZE_BITS);
}

static inline uint64_t asnap_table_history_pack(struct asnap_table_history_state state)
{
    return (uint64_t)state.begin << 32 | (uint64_t)state.in_second << 24 | state.shift << 16 |
           state.count;
}

static inline struct asnap_table_history_state asnap_table_history_unpack(uint64_t word)
{
    return (struct asnap_table_history_state){
        .count = (uint32_t)(word & 0xffff),
        .shift = (uint32_t)(word >> 16 & 0xff),
        .in_second = (uint32_t)(word >> 24 & 1),
        .begin = (uint32_t)(word >> 32),
    };
}

/* The shard that holds the records of an address (without its domain). The blocks of one
 * MiB are in one shard: allocators give threads memory of their own, so that threads meet
 * in few shards. */
static inline uint32_t asnap_table_shard_of(uint64_t address)
{
    return (uint32_t)((address >> 20) * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}

#endif
