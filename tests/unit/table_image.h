/* A table as a program would hold it, in a byte array with addresses of its own. */
#ifndef ASNAP_TEST_TABLE_IMAGE_H
#define ASNAP_TEST_TABLE_IMAGE_H

#include "allocsnap_table.h"
#include "unit.h"

enum {
    IMAGE_BASE = 0x10000,
    IMAGE_NODE_LIST = 0x20000, /* addresses of two chunks of nodes */
    IMAGE_NODES = 0x21000,     /* 2 * ASNAP_TABLE_CHUNK_NODES nodes, end to end */
    IMAGE_LISTS = 0x70000,     /* a page for each shard: addresses of its chunks */
    IMAGE_CHUNKS = 0xc0000,    /* two chunks for each shard, end to end */
    IMAGE_CHUNK_BYTES = ASNAP_TABLE_CHUNK_RECORDS * sizeof(struct asnap_table_record),
    IMAGE_MORE_LISTS = 0x600000, /* addresses of one chunk of threads and of modules */
    IMAGE_THREADS = 0x601000,    /* a chunk */
    IMAGE_MODULES = 0x602000,    /* a chunk */
    IMAGE_PATHS = 0x603000,      /* 64 bytes for each module */
    IMAGE_BYTES = 0x800000,
};

struct image {
    uint8_t *bytes; /* of addresses [IMAGE_BASE, IMAGE_BASE + IMAGE_BYTES) */
    struct asnap_memory memory;
    uint64_t hole_start; /* reads of [hole_start, hole_end) fail */
    uint64_t hole_end;
    int64_t interrupt_after; /* reads until one is interrupted; negative: never */
    size_t reads;
    size_t largest_read;
};

/* A tracing root without nodes or records. */
void image_init(struct image *image);
/* Makes the root one of version 4, with whatever stands where later fields are. */
void image_be_version_4(struct image *image);

void image_deinit(struct image *image);

/* What lies at an address. */
void *image_at(struct image *image, uint64_t address);
struct asnap_table_root *image_root(struct image *image);

/* Adds a thread and a module, as the hooks would; the first of each is none. */
uint32_t image_thread(struct image *image, uint32_t kernel_number);
uint32_t image_module(struct image *image, uint64_t start, uint64_t end, const char *path);

/* Adds a node, as the hooks would. */
uint32_t image_node(struct image *image, uint32_t parent, uint64_t pc);

/* Adds a live record, as the hooks would; returns it. */
struct asnap_table_record *image_record(struct image *image, uint64_t address, uint32_t domain,
                                        uint64_t size, uint32_t stack);

#endif
