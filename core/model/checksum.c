#include "checksum.h"

#include <string.h>

#include "intern.h"

static void add_step(uint64_t *lanes, const unsigned char *bytes)
{
    uint64_t words[ASNAP_CHECKSUM_LANES];
    memcpy(words, bytes, sizeof(words));
    for (size_t i = 0; i < ASNAP_CHECKSUM_LANES; i++)
        lanes[i] = asnap_hash_mix(lanes[i], words[i]);
}

void asnap_checksum_add(struct asnap_checksum *sum, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    /* A copy: the compiler can keep it in registers. */
    uint64_t lanes[ASNAP_CHECKSUM_LANES];
    memcpy(lanes, sum->lanes, sizeof(lanes));
    sum->size += size;
    for (; size >= ASNAP_CHECKSUM_STEP; size -= ASNAP_CHECKSUM_STEP, at += ASNAP_CHECKSUM_STEP)
        add_step(lanes, at);
    if (size > 0) {
        unsigned char last[ASNAP_CHECKSUM_STEP] = {0};
        memcpy(last, at, size);
        add_step(lanes, last);
    }
    memcpy(sum->lanes, lanes, sizeof(lanes));
}

uint64_t asnap_checksum_end(const struct asnap_checksum *sum)
{
    uint64_t end = sum->size;
    for (size_t i = 0; i < ASNAP_CHECKSUM_LANES; i++)
        end = asnap_hash_mix(end, sum->lanes[i]);
    return end;
}
