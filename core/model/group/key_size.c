/* By size of the block, in powers of two. */
#include <inttypes.h>
#include <stdio.h>

#include "keys.h"

/* 0 for no byte, and n for 2^(n-1) to 2^n - 1 bytes. */
static uint32_t power_of(const void *context, const struct asnap_trace *trace)
{
    (void)context;
    return trace->size == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(trace->size);
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    return asnap_group_by_block(snapshot, power_of, NULL, 65, groups);
}

static struct asnap_bounds bounds(const struct asnap_group *group)
{
    uint32_t power = group->id;
    if (power == 0)
        return (struct asnap_bounds){.from = 0, .below = 1};
    return (struct asnap_bounds){.from = UINT64_C(1) << (power - 1),
                                 .below = power == 64 ? UINT64_MAX : UINT64_C(1) << power};
}

/* Writes 2^power bytes in the largest unit, which they are a whole number of. */
static void write_power(uint32_t power, char text[24])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    snprintf(text, 24, "%" PRIu64 " %s", UINT64_C(1) << power % 10, units[power / 10]);
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)store;
    char from[24];
    char below[24];
    uint32_t power = group->id;
    if (power < 2)
        return power == 0 ? "0 B" : "1 B";
    write_power(power - 1, from);
    if (power == 64) {
        snprintf(buffer, ASNAP_LABEL_SIZE, "%s or more", from);
        return buffer;
    }
    write_power(power, below);
    snprintf(buffer, ASNAP_LABEL_SIZE, "%s to < %s", from, below);
    return buffer;
}

const struct asnap_key_kind asnap_key_size = {
    .description = {"size", "block size", ASNAP_LABEL_RANGE, false},
    .by_block = group,
    .compare = asnap_key_compare_ids,
    .label = label,
    .bounds = bounds,
};
