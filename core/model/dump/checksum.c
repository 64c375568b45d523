#include "checksum.h"

#include <string.h>

#include "intern.h"

static inline uint64_t add_word(uint64_t lane, const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    lane = asnap_hash_mix(lane, word);
    /* Keeps the lanes in general registers: the vectors of most processors have no
     * product of 64 bits, and compilers that make one of several lose by it. */
    __asm__("" : "+r"(lane));
    return lane;
}

/* Adds whole steps; returns how many bytes those are. */
static size_t add_steps(uint64_t lanes[ASNAP_CHECKSUM_LANES], const unsigned char *bytes,
                        size_t size)
{
    const unsigned char *at = bytes;
    uint64_t first = lanes[0], second = lanes[1], third = lanes[2], fourth = lanes[3];
    for (; size >= ASNAP_CHECKSUM_STEP; size -= ASNAP_CHECKSUM_STEP, at += ASNAP_CHECKSUM_STEP) {
        first = add_word(first, at);
        second = add_word(second, at + 8);
        third = add_word(third, at + 16);
        fourth = add_word(fourth, at + 24);
    }
    lanes[0] = first;
    lanes[1] = second;
    lanes[2] = third;
    lanes[3] = fourth;
    return (size_t)(at - bytes);
}

void asnap_checksum_add(struct asnap_checksum *sum, const void *bytes, size_t size)
{
    size_t done = add_steps(sum->lanes, bytes, size);
    if (done < size) {
        unsigned char last[ASNAP_CHECKSUM_STEP] = {0};
        memcpy(last, (const unsigned char *)bytes + done, size - done);
        add_steps(sum->lanes, last, sizeof(last));
    }
    sum->size += size;
}

uint64_t asnap_checksum_end(const struct asnap_checksum *sum)
{
    uint64_t end = sum->size;
    for (size_t i = 0; i < ASNAP_CHECKSUM_LANES; i++)
        end = asnap_hash_mix(end, sum->lanes[i]);
    return end;
}
