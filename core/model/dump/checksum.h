/* The checksum of dump files (docs/dump-format.md). Whatever is changed within eight
 * bytes that lie at a multiple of eight, the sum is another: each step is one-to-one
 * in the sum so far and in the word. It runs at the speed of memory, which a CRC in
 * software does not. */
#ifndef ASNAP_MODEL_CHECKSUM_H
#define ASNAP_MODEL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define ASNAP_CHECKSUM_LANES 4
#define ASNAP_CHECKSUM_STEP ((size_t)8 * ASNAP_CHECKSUM_LANES)

/* All zero is the sum of nothing so far. */
struct asnap_checksum {
    uint64_t lanes[ASNAP_CHECKSUM_LANES];
    uint64_t size; /* bytes so far */
};

/* Adds bytes. Only the last addition may be of a size that is not a multiple of
 * ASNAP_CHECKSUM_STEP. */
void asnap_checksum_add(struct asnap_checksum *sum, const void *bytes, size_t size);

uint64_t asnap_checksum_end(const struct asnap_checksum *sum);

#endif
