/* A small good table, and what the tests of collect do with it. */
#ifndef ASNAP_UNIT_TEST_COLLECT_H
#define ASNAP_UNIT_TEST_COLLECT_H

#include "raw.h"
#include "table_image.h"

enum { A = 0x55550000, B = 0x55551000, C = 0x7f0000002000 };

enum { MODULE = 1, THREAD = 1 };

/* Three blocks under main: two from f, one from g, whose stack lost 5 frames. */
void collect_fill(struct image *image);

/* Reads the table, which must be good. */
struct asnap_raw *collect_read(struct image *image);

/* The trace of a block; NULL: there is none. */
const struct asnap_trace *collect_trace_at(const struct asnap_raw *raw, uint64_t address);

/* Reads the table: the code of the error, whose message has one line; 0: it is good. */
enum asnap_error_code collect_code(struct image *image);

/* Changes one place of a good table, reads it, and changes it back. */
#define CODE_WITH(IMAGE, PLACE, VALUE)                                                             \
    __extension__({                                                                                \
        __typeof__(PLACE) kept_ = (PLACE);                                                         \
        (PLACE) = (VALUE);                                                                         \
        enum asnap_error_code code_ = collect_code(IMAGE);                                         \
        (PLACE) = kept_;                                                                           \
        code_;                                                                                     \
    })

#endif
