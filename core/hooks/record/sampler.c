#include "sampler.h"

#include "kernel.h"
#include "root.h"

/* No floating point: the program may have had its exceptions trap, and looks at its flags. */

/* ln 2, in parts of 2^64. */
#define LN2 UINT64_C(0xb17217f7d1cf79ab)
/* 1 / ln 2, in parts of 2^32. */
#define LOG2E UINT64_C(0x171547653)
#define ONE (UINT64_C(1) << 32)

/* Bits of a logarithm after its point. */
enum { LOG_BITS = 40 };

__thread struct asnap_sampler asnap_sampler;

static uint64_t process_seed;
static bool seed_is_same;
static uint64_t threads_begun;

void asnap_sampler_seed(uint64_t seed, bool is_same)
{
    process_seed = seed;
    seed_is_same = is_same;
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static uint64_t mix(uint64_t word)
{
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static uint64_t next_random(struct asnap_sampler *sampler)
{
    if (!sampler->is_seeded) {
        uint64_t thread = __atomic_add_fetch(&threads_begun, 1, __ATOMIC_RELAXED);
        if (!seed_is_same)
            thread |= (uint64_t)asnap_kernel_thread() << 32;
        sampler->random = mix(process_seed + mix(thread));
        sampler->is_seeded = true;
    }
    sampler->random += UINT64_C(0x9e3779b97f4a7c15);
    return mix(sampler->random);
}

/* -log2(number / 2^64) in parts of 2^LOG_BITS, for a number from 1 on. The bits after the point
 * come one by one: squaring doubles the logarithm. */
static uint64_t minus_log2(uint64_t number)
{
    unsigned zeros = (unsigned)__builtin_clzll(number);
    uint64_t factor = number << zeros; /* from 1 to below 2, in parts of 2^63 */
    uint64_t fraction = 0;
    for (int i = 0; i < LOG_BITS; i++) {
        unsigned __int128 square = (unsigned __int128)factor * factor;
        unsigned is_more = (unsigned)(square >> 127);
        fraction = fraction << 1 | is_more;
        factor = (uint64_t)(square >> (63 + is_more));
    }
    return ((uint64_t)(zeros + 1) << LOG_BITS) - fraction;
}

/* The first byte that is hit, counted from 1: exponential numbers, rounded up. */
static uint64_t draw(struct asnap_sampler *sampler)
{
    uint64_t period = asnap_root_sample_period();
    uint64_t random = next_random(sampler);
    uint64_t logarithm = minus_log2(random == 0 ? 1 : random);
    unsigned __int128 natural = (unsigned __int128)logarithm * LN2 >> 64;
    return (uint64_t)(natural * period >> LOG_BITS) + 1;
}

static bool count_down(struct asnap_sampler *sampler, uint64_t bytes)
{
    if (bytes < sampler->left) {
        sampler->left -= bytes;
        return false;
    }
    sampler->left = draw(sampler);
    return true;
}

enum asnap_sampled asnap_sampler_decide(size_t size, uint32_t mode)
{
    struct asnap_sampler *sampler = &asnap_sampler;
    bool was_held = sampler->held != 0;
    asnap_sampler_release();
    if (sampler->mode != mode) {
        sampler->left = draw(sampler);
        sampler->mode = mode;
    }
    if (count_down(sampler, asnap_sampler_bytes(size)))
        return ASNAP_SAMPLED;
    return was_held ? ASNAP_ONLY_NOTED : ASNAP_NOT_SAMPLED;
}

void asnap_sampler_hold(void)
{
    asnap_sampler.held = asnap_sampler.left;
    asnap_sampler.left = 0;
}

void asnap_sampler_release(void)
{
    if (asnap_sampler.held == 0)
        return;
    asnap_sampler.left = asnap_sampler.held;
    asnap_sampler.held = 0;
}

void asnap_sampler_forget(void)
{
    asnap_sampler = (struct asnap_sampler){0};
}

/* ---- weights ---- */

static uint64_t multiply(uint64_t left, uint64_t right)
{
    return (uint64_t)((unsigned __int128)left * right >> 32);
}

/* x / (1 - exp(-x)) for x up to 1, both in parts of 2^32: 1 + x/2 + B2 x^2/2! + B4 x^4/4! + ...,
 * with the Bernoulli numbers B. */
static uint64_t weight_near_0(uint64_t x)
{
    uint64_t x2 = multiply(x, x);
    uint64_t x4 = multiply(x2, x2);
    uint64_t x6 = multiply(x4, x2);
    uint64_t x8 = multiply(x4, x4);
    return ONE + x / 2 + x2 / 12 - x4 / 720 + x6 / 30240 - x8 / 1209600;
}

/* exp(-x) in parts of 2^32, of an x in such parts. */
static uint64_t exp_minus(uint64_t x)
{
    enum { TERMS = 12 };
    uint64_t power = multiply(x, LOG2E);
    /* exp(-t) for a t up to ln 2: 1 - t (1 - t/2 (1 - t/3 (...))) */
    uint64_t t = multiply(power % ONE, LN2 >> 32);
    uint64_t sum = ONE;
    for (uint64_t i = TERMS; i > 0; i--)
        sum = ONE - multiply(t, sum) / i;
    return sum >> (power / ONE);
}

/* size / (1 - exp(-size / period)) for a size from 1 on, in parts of 2^ASNAP_TABLE_ESTIMATE_BITS.
 * Sizes that are not far beyond a period have at most 45 bits. */
static uint64_t weigh(uint64_t size, uint64_t period)
{
    enum { X_BITS = 23 }; /* a period has at most 41 */
    uint64_t x = (size / period << 32) | ((size % period << X_BITS) / period << (32 - X_BITS));
    if (x <= ONE)
        return multiply(period << ASNAP_TABLE_ESTIMATE_BITS, weight_near_0(x));
    uint64_t parts = size << ASNAP_TABLE_ESTIMATE_BITS;
    uint64_t missed = exp_minus(x);
    return parts + multiply(parts, (missed << 32) / (ONE - missed));
}

struct asnap_sample_weight asnap_sample_weight(uint64_t size, uint64_t period)
{
    const uint64_t one = UINT64_C(1) << ASNAP_TABLE_ESTIMATE_BITS;
    enum { FAR = 32 }; /* periods: from there on what is missed is less than a part of 2^32 */
    if (size / period >= FAR)
        return (struct asnap_sample_weight){size, one};
    uint64_t parts = weigh(size + (size == 0), period);
    if (size == 0)
        return (struct asnap_sample_weight){0, parts};
    return (struct asnap_sample_weight){(parts + one / 2) / one, parts / size};
}
