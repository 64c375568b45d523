#include "sampled.h"

#include "root.h"
#include "sampler.h"

static struct asnap_sample_weight weight_of(uint64_t size)
{
    return asnap_sample_weight(size, asnap_root_sample_period());
}

static void raise_peak(uint64_t size)
{
    uint64_t peak = __atomic_load_n(&allocsnap_root.peak_bytes, __ATOMIC_RELAXED);
    while (peak < size && !__atomic_compare_exchange_n(&allocsnap_root.peak_bytes, &peak, size,
                                                       true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        continue;
}

/* The peak first, so that it is never below what is traced. */
void asnap_sampled_add(uint64_t size)
{
    struct asnap_sample_weight weight = weight_of(size);
    uint64_t now = __atomic_load_n(&allocsnap_root.estimated_size, __ATOMIC_RELAXED);
    do {
        raise_peak(now + weight.size);
    } while (!__atomic_compare_exchange_n(&allocsnap_root.estimated_size, &now, now + weight.size,
                                          true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    __atomic_fetch_add(&allocsnap_root.estimated_count, weight.count, __ATOMIC_RELAXED);
}

void asnap_sampled_subtract(uint64_t size)
{
    struct asnap_sample_weight weight = weight_of(size);
    __atomic_fetch_sub(&allocsnap_root.estimated_size, weight.size, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&allocsnap_root.estimated_count, weight.count, __ATOMIC_RELAXED);
}

void asnap_sampled_reset_peak(void)
{
    uint64_t now = __atomic_load_n(&allocsnap_root.estimated_size, __ATOMIC_RELAXED);
    __atomic_store_n(&allocsnap_root.peak_bytes, now, __ATOMIC_RELEASE);
}

void asnap_sampled_begin_again(void)
{
    __atomic_store_n(&allocsnap_root.estimated_size, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&allocsnap_root.estimated_count, 0, __ATOMIC_RELAXED);
}
