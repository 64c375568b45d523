/* What the blocks of a sample stand for.
 *
 * A block of s bytes is in a sample of period R with a probability of p = 1 - exp(-s / R),
 * independently of the others, and stands for 1 / p blocks of its size (Horvitz and Thompson,
 * 1952): sums of what blocks stand for have the true sums as their mean. Their variance is
 * estimated by the sum of s^2 (1 - p) / p^2, for numbers of blocks by that of (1 - p) / p^2. An
 * empty block is in it as if it had a byte. Sums are whole numbers, so that they do not depend on
 * any order. */
#ifndef ASNAP_MODEL_WEIGHTS_H
#define ASNAP_MODEL_WEIGHTS_H

#include "allocsnap.h"

/* Parts that a block is counted in. */
#define ASNAP_WEIGHT_PARTS UINT64_C(65536)

struct asnap_weight {
    uint64_t size;  /* bytes, at most INT64_MAX */
    uint64_t parts; /* of blocks, at most INT64_MAX */
    double size_variance;
    double count_variance;
    uint64_t sampled; /* blocks of the sample */
};

/* Adds what a block of a sample stands for. False: the sum is too large. */
bool asnap_weight_add_block(struct asnap_weight *sum, uint64_t size, uint64_t period);

bool asnap_weight_add(struct asnap_weight *sum, const struct asnap_weight *more);

static inline uint64_t asnap_weight_count(const struct asnap_weight *weight)
{
    return weight->parts / ASNAP_WEIGHT_PARTS +
           (weight->parts % ASNAP_WEIGHT_PARTS >= ASNAP_WEIGHT_PARTS / 2);
}

/* What can be told of it; of what is no sample, with `sum` in place of a weight. */
struct asnap_estimate asnap_weight_estimate(const struct asnap_weight *weight);
struct asnap_estimate asnap_sum_estimate(uint64_t size, uint64_t count);

struct asnap_error *asnap_weight_too_large(void);

#endif
