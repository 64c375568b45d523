/* Which blocks a sample takes: a Poisson process over the bytes that are allocated.
 *
 * A thread counts down a number of bytes that is drawn from the exponential distribution, whose
 * mean is the sample's period. A block that takes it to 0 is recorded, and the next number is
 * drawn. As the distribution has no memory, a block of s bytes is recorded with a probability of
 * 1 - exp(-s / period), whatever was allocated before it, and independently of all others. The
 * numbers are whole ones that keep this exact for whole numbers of bytes. */
#ifndef ASNAP_HOOKS_SAMPLER_H
#define ASNAP_HOOKS_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocsnap_table.h"

/* What a thread has left to count down, and its random numbers. */
struct asnap_sampler {
    uint64_t left;   /* the byte that will be hit next, from 1 on */
    uint64_t held;   /* not 0: `left` is 0, and this is what it was (asnap_sampler_hold) */
    uint64_t random; /* the state of its random numbers */
    uint32_t mode;   /* of the sample that `left` was drawn for; 0: none */
    bool is_seeded;
};

extern __thread struct asnap_sampler asnap_sampler;

enum asnap_sampled {
    ASNAP_NOT_SAMPLED = 0,
    ASNAP_SAMPLED,
    ASNAP_ONLY_NOTED, /* it is not taken, but asnap_sampler_hold wants to know of it */
};

/* The random numbers of all threads follow from this one. `is_same`: from nothing else but the
 * order in which threads begin. Before the first sample. */
void asnap_sampler_seed(uint64_t seed, bool is_same);

/* Whether the sample takes a block of `size` bytes, where the count may have come to its end, or
 * has not begun. */
enum asnap_sampled asnap_sampler_decide(size_t size, uint32_t mode);

/* For the sample an empty block has a byte. */
static inline uint64_t asnap_sampler_bytes(size_t size)
{
    return (uint64_t)size + (size == 0);
}

/* Whether the sample passes a block of `size` bytes by, as it does nearly all. Else nothing is done
 * yet: asnap_sampler_decide is to be asked. `mode` is what the root says of `tracing`. */
static inline __attribute__((always_inline)) bool asnap_sampler_passes(size_t size, uint32_t mode)
{
    struct asnap_sampler *sampler = &asnap_sampler;
    uint64_t bytes = asnap_sampler_bytes(size);
    if (__builtin_expect(sampler->mode != mode || bytes >= sampler->left, 0))
        return false;
    sampler->left -= bytes;
    return true;
}

/* Whether the sample takes a block of `size` bytes. */
static inline enum asnap_sampled asnap_sampler_take(size_t size, uint32_t mode)
{
    return asnap_sampler_passes(size, mode) ? ASNAP_NOT_SAMPLED : asnap_sampler_decide(size, mode);
}

/* Lets the next block that this thread asks about be told from those that nothing was asked of:
 * if it is not taken, it is ASNAP_ONLY_NOTED. */
void asnap_sampler_hold(void);
void asnap_sampler_release(void);

/* For a thread that finds itself in another process: its numbers are others from now on. */
void asnap_sampler_forget(void);

/* How many bytes, and how many parts of a block (ASNAP_TABLE_ESTIMATE_BITS), a block of `size`
 * bytes stands for in a sample of this period. */
struct asnap_sample_weight {
    uint64_t size;
    uint64_t count;
};

struct asnap_sample_weight asnap_sample_weight(uint64_t size, uint64_t period);

#endif
