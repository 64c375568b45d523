/* A program that is made up byte by byte, for tests of roots. */
#ifndef ASNAP_TEST_PROGRAM_IMAGE_H
#define ASNAP_TEST_PROGRAM_IMAGE_H

#include "allocsnap_graph.h"
#include "table_image.h"

enum { PIECES_MAX = 16, BLOCKS_MAX = 64 };

struct piece {
    struct asnap_region region;
    uint8_t *bytes;
};

/* A program: the hooks' table, other memory, threads, and traced blocks. */
struct program {
    struct image image;
    struct asnap_memory memory;
    struct piece pieces[PIECES_MAX];
    struct asnap_region regions[PIECES_MAX];
    size_t piece_count;
    struct asnap_thread threads[4];
    struct asnap_register registers[4];
    struct asnap_trace traces[BLOCKS_MAX];
    struct asnap_graph_facts facts;
};

void program_init(struct program *program);
void program_deinit(struct program *program);

enum { NONE = 0, R = ASNAP_REGION_READABLE, RW = R | ASNAP_REGION_WRITABLE };
enum { RX = R | ASNAP_REGION_EXECUTABLE };

/* Adds memory, in order of address. */
void program_map(struct program *program, uint64_t start, uint64_t size, uint32_t flags,
                 const char *path);

/* The byte at an address; NULL where there is none. */
uint8_t *program_at(struct program *program, uint64_t address);

/* Writes a word. */
void program_put(struct program *program, uint64_t address, uint64_t word);

/* Adds a thread; its number. */
uint32_t program_thread(struct program *program, uint64_t stack_pointer, uint64_t thread_pointer);

/* Writes glibc's struct pthread on x86-64, as far as it is looked at. */
void program_put_pthread(struct program *program, uint64_t pointer, uint64_t vector, uint64_t block,
                         uint64_t size, uint64_t guard);

/* A snapshot of these blocks. */
struct asnap_snapshot *program_snapshot(struct program *program, const uint64_t *addresses,
                                        const uint64_t *sizes, size_t count);

/* The classes of blocks in the order of their addresses, a letter each. */
const char *program_classes(struct program *program, const uint64_t *addresses,
                            const uint64_t *sizes, size_t count);

#define FILE_AT UINT64_C(0x555555554000)
#define HEAP_AT (FILE_AT + 0x5000)

/* Adds a program's file with two pages of data of which one is zeros at first, and the heap right
 * behind it in the same mapping, with three blocks. */
void program_load_file(struct program *program);

/* Those blocks. */
extern const uint64_t heap_blocks[3];
extern const uint64_t heap_sizes[3];

#endif
