#include "sampled.h"

#include "root.h"
#include "sampler.h"
#include "watch.h"

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

static void watch(uint64_t size, uint64_t count, uint64_t request)
{
    uint64_t size_limit = asnap_watch_limit(ASNAP_TABLE_WATCH_SIZE);
    uint64_t count_limit = asnap_watch_limit(ASNAP_TABLE_WATCH_COUNT);
    if (size_limit != 0 && size > size_limit)
        asnap_watch_reach(ASNAP_TABLE_WATCH_SIZE, size, request);
    if (count_limit != 0 && count > count_limit)
        asnap_watch_reach(ASNAP_TABLE_WATCH_COUNT, size, request);
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
    uint64_t parts =
        __atomic_add_fetch(&allocsnap_root.estimated_count, weight.count, __ATOMIC_RELAXED);
    watch(now + weight.size, parts >> ASNAP_TABLE_ESTIMATE_BITS, size);
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
