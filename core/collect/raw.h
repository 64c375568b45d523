/* What collect hands on: the validated contents of a table. Knows nothing of the
 * table's layout. */
#ifndef ASNAP_COLLECT_RAW_H
#define ASNAP_COLLECT_RAW_H

#include "allocsnap.h"

/* The parent of an origin (see asnap_raw_node). */
#define ASNAP_RAW_NONE UINT32_MAX

/* The parts of a table. */
enum { ASNAP_RAW_SHARDS = 64 };

/* The pc of an origin whose older frames were not counted. */
#define ASNAP_RAW_NOT_COUNTED UINT64_C(0xffffffffffff)

/* A frame of a stack: a return address and the node of its caller, whose index is
 * smaller than its own. A node whose parent is ASNAP_RAW_NONE is an origin: no
 * frame, its pc is the number of older frames that are not here, or
 * ASNAP_RAW_NOT_COUNTED. There may be more frames here than the frame limit allows:
 * only the most recent ones are kept then. */
struct asnap_raw_node {
    uint64_t pc;
    uint32_t parent;
    uint32_t module; /* that the address was in when it was noted: index into modules, 0 none */
};

/* A file with code, also one that was unloaded since. Entry 0 is none: all zero. */
struct asnap_raw_module {
    uint64_t start; /* the memory it was loaded into: [start, end) */
    uint64_t end;
    char *path;
    uint8_t build_id[32];
    uint32_t build_id_bytes; /* 0: it has none */
};

/* A domain that the program has named. */
struct asnap_raw_domain {
    uint32_t domain;
    char name[32];
};

/* Everything an asnap_raw holds. Indexes are in range: a trace's traceback_id is
 * the node of its most recent frame and below node_count, its thread is below
 * thread_count or 0, and so is a node's module. */
struct asnap_raw {
    struct asnap_trace *traces;
    size_t trace_count;
    uint64_t *counts; /* of each trace, how many blocks it sums up; NULL: each is a block */
    struct asnap_raw_node *nodes;
    size_t node_count;
    struct asnap_raw_domain *domains;
    size_t domain_count;
    uint32_t *threads; /* kernel thread numbers by thread index; [0] = 0: not known */
    size_t thread_count;
    struct asnap_raw_module *modules;
    size_t module_count;
    uint64_t start_realtime; /* ns since the epoch at time 0, 0 unknown */
    uint32_t frame_limit;
    uint64_t sample_period;          /* 0: every block is here (asnap_snapshot_sample_period) */
    char unseen[ASNAP_UNSEEN_BYTES]; /* as asnap_status has it */
    uint64_t dropped;                /* blocks the hooks had no memory to record */
    uint64_t refused;          /* blocks of the program's pools that no record can be made of */
    uint32_t busy_shards;      /* parts of the table that were being changed */
    uint64_t missing_bytes;    /* of the program's memory, that the core file lacks */
    uint64_t unreadable_bytes; /* of records, in memory that could not be read */
    uint64_t unreadable_nodes; /* nodes that could not be read; they are origins here */
    uint64_t bad_records;      /* records that cannot be, and are left out */
    uint64_t bad_record;       /* the address of the first of them */
    uint32_t bad_shards;       /* parts whose records are not those that they say they hold */
    uint32_t bad_shard;        /* the number of the first of them */
    char **notes;              /* what else is missing, as the debugger knows it */
    size_t note_count;
    size_t note_capacity;
};

#endif
