/* Small heaps for the tests of the model and of rendering. */
#ifndef ASNAP_TEST_MODEL_HEAP_H
#define ASNAP_TEST_MODEL_HEAP_H

#include "unit.h"

/* Blocks of one size and stack. The stack is a list of frames, most recent first,
 * that ends with a frame without a file name. */
struct heap_blocks {
    uint64_t size;
    size_t count;
    uint32_t domain;
    uint32_t total_nframe;
    struct asnap_frame stack[5];
};

/* A snapshot of these blocks, with a note where `note` is not NULL. */
struct asnap_error *heap_try(const struct heap_blocks *blocks, size_t count, const char *note,
                             struct asnap_snapshot **snapshot);

/* The same for a test that expects success. */
struct asnap_snapshot *heap_snapshot(const struct heap_blocks *blocks, size_t count);

/* Statistics that must succeed; destroys the snapshot, which they must outlive. */
struct asnap_statistics *heap_statistics(struct asnap_snapshot *snapshot, enum asnap_key key,
                                         bool cumulative);

/* A row as text: "SIZE COUNT FILE:LINE[ FUNCTION[ (inlined)]] ...", frames most
 * recent first. */
const char *heap_row(const struct asnap_statistics *statistics, size_t index);

#endif
