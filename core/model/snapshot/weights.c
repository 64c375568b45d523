#include "weights.h"

#include <math.h>

#include "error.h"

static bool add_number(uint64_t *sum, uint64_t more)
{
    if (more > (uint64_t)INT64_MAX - *sum)
        return false;
    *sum += more;
    return true;
}

/* A number that is not negative, rounded; UINT64_MAX where it is too large. */
static uint64_t whole(double number)
{
    double rounded = nearbyint(number);
    return rounded < (double)INT64_MAX ? (uint64_t)rounded : UINT64_MAX;
}

bool asnap_weight_add_block(struct asnap_weight *sum, uint64_t size, uint64_t period)
{
    double bytes = (double)size;
    double periods = (size == 0 ? 1.0 : bytes) / (double)period;
    double chance = -expm1(-periods);
    double variance = exp(-periods) / (chance * chance);
    bool is_certain = chance >= 1;
    sum->size_variance += bytes * bytes * variance;
    sum->count_variance += variance;
    sum->sampled++;
    return add_number(&sum->size, is_certain ? size : whole(bytes / chance)) &&
           add_number(&sum->parts, whole((double)ASNAP_WEIGHT_PARTS / chance));
}

bool asnap_weight_add(struct asnap_weight *sum, const struct asnap_weight *more)
{
    if (more->size > (uint64_t)INT64_MAX - sum->size ||
        more->parts > (uint64_t)INT64_MAX - sum->parts)
        return false;
    sum->size += more->size;
    sum->parts += more->parts;
    sum->size_variance += more->size_variance;
    sum->count_variance += more->count_variance;
    sum->sampled += more->sampled;
    return true;
}

struct asnap_estimate asnap_weight_estimate(const struct asnap_weight *weight)
{
    return (struct asnap_estimate){
        .size = weight->size,
        .count = (double)weight->parts / (double)ASNAP_WEIGHT_PARTS,
        .size_error = sqrt(weight->size_variance),
        .count_error = sqrt(weight->count_variance),
        .sampled_count = weight->sampled,
    };
}

struct asnap_estimate asnap_block_estimate(uint64_t size, uint64_t period)
{
    struct asnap_weight weight = {0};
    if (!asnap_weight_add_block(&weight, size, period))
        weight.size = INT64_MAX;
    return asnap_weight_estimate(&weight);
}

struct asnap_estimate asnap_sum_estimate(uint64_t size, uint64_t count)
{
    return (struct asnap_estimate){.size = size, .count = (double)count, .sampled_count = count};
}

struct asnap_error *asnap_weight_too_large(void)
{
    return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                              "cannot estimate what the sample stands for: it is more than "
                              "9223372036854775807 bytes, or 140737488355327 blocks");
}
