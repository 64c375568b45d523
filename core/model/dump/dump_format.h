/* The layout of dump files; docs/dump-format.md says what everything means. */
#ifndef ASNAP_MODEL_DUMP_FORMAT_H
#define ASNAP_MODEL_DUMP_FORMAT_H

#include <stdint.h>

#define ASNAP_DUMP_MAGIC                                                                           \
    "\x89"                                                                                         \
    "ASNAP\r\n"
#define ASNAP_DUMP_BYTE_ORDER UINT32_C(0x01020304)
/* Of a file that has sections of a graph or of types, which a reader of 3 would pass over. */
#define ASNAP_DUMP_VERSION UINT32_C(4)
#define ASNAP_DUMP_VERSION_PLAIN UINT32_C(3)
/* Loaded, and not written any more: of 2, the frames of every stack are counted; of 1,
 * traces have neither thread nor time as well. */
#define ASNAP_DUMP_VERSION_COUNTED UINT32_C(2)
#define ASNAP_DUMP_VERSION_TIMELESS UINT32_C(1)
#define ASNAP_DUMP_ALIGNMENT UINT64_C(8)
#define ASNAP_DUMP_SECTIONS_MAX 64u

/* In the order in which they stand in a file. One that would be empty is left out. */
enum asnap_dump_kind {
    ASNAP_DUMP_FILES = 1,      /* names */
    ASNAP_DUMP_FUNCTIONS,      /* names */
    ASNAP_DUMP_LOCATIONS,      /* struct asnap_location */
    ASNAP_DUMP_FRAMES,         /* struct asnap_dump_frame */
    ASNAP_DUMP_FRAME_ORDER,    /* uint32_t */
    ASNAP_DUMP_FRAME_IDS,      /* uint32_t */
    ASNAP_DUMP_TRACEBACKS,     /* struct asnap_traceback */
    ASNAP_DUMP_TRACES,         /* struct asnap_trace */
    ASNAP_DUMP_ADDRESSES,      /* uint64_t, by frame */
    ASNAP_DUMP_MAPPINGS,       /* struct asnap_stored_mapping */
    ASNAP_DUMP_MAPPING_NAMES,  /* names */
    ASNAP_DUMP_DOMAINS,        /* uint32_t */
    ASNAP_DUMP_DOMAIN_NAMES,   /* names */
    ASNAP_DUMP_NOTES,          /* names */
    ASNAP_DUMP_ATTRIBUTES,     /* names: a name, its value, and so on */
    ASNAP_DUMP_FRAME_MAPPINGS, /* uint32_t, by frame */
    ASNAP_DUMP_THREADS,        /* uint32_t */
    ASNAP_DUMP_START_TIME,     /* uint64_t */
    ASNAP_DUMP_NAMED_BY,       /* uint8_t, by frame; left out where all are what they look like */
    ASNAP_DUMP_OFFSETS,        /* uint64_t, by frame; left out where none is known */
    ASNAP_DUMP_GRAPH,          /* struct asnap_kept_sum, by class; what follows is only with it */
    ASNAP_DUMP_CLASSES,        /* uint8_t, by trace */
    ASNAP_DUMP_RETAINED,       /* struct asnap_kept_retained, by trace */
    ASNAP_DUMP_LEAKS,          /* struct asnap_kept_leak */
    ASNAP_DUMP_POINTERS,       /* struct asnap_kept_pointer */
    ASNAP_DUMP_GRAPH_NOTES,    /* names */
    ASNAP_DUMP_TYPE_NAMES,     /* names; the first is "", and there where types are known */
    ASNAP_DUMP_TYPES,          /* struct asnap_dump_type */
    ASNAP_DUMP_OWNER_NAMES,    /* names, as those of types */
    ASNAP_DUMP_OWNERS,         /* struct asnap_dump_type */
    ASNAP_DUMP_SAMPLE_PERIOD = 32, /* uint64_t; left out where every block is there */
    ASNAP_DUMP_KINDS,
};

struct asnap_dump_header {
    char magic[8];
    uint32_t byte_order;
    uint32_t version;
    uint64_t file_size;
    uint64_t checksum; /* of the header, with 0 here, and of the section table */
    uint32_t section_count;
    uint32_t traceback_limit;
};

struct asnap_dump_section {
    uint32_t kind;
    uint32_t reserved; /* 0 */
    uint64_t offset;
    uint64_t size;
    uint64_t checksum;
};

struct asnap_dump_frame {
    uint32_t location;
    uint32_t function;
    uint32_t inlined; /* 0 or 1 */
};

/* That the blocks at an address hold an object of a class. */
struct asnap_dump_type {
    uint64_t address;
    uint32_t name;     /* from 1 */
    uint32_t reserved; /* 0 */
};

/* A trace of ASNAP_DUMP_VERSION_TIMELESS. */
struct asnap_dump_timeless_trace {
    uint64_t address;
    uint64_t size;
    uint32_t traceback_id;
    uint32_t domain;
};

#endif
