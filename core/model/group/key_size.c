/* By size of the block, in powers of two. */
#include <inttypes.h>
#include <stdio.h>

#include "keys.h"

/* 0 for no byte, and n for 2^(n-1) to 2^n - 1 bytes. */
uint32_t asnap_size_group(uint64_t size)
{
    return size == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(size);
}

static uint32_t power_of(const void *context, const struct asnap_trace *trace)
{
    (void)context;
    return asnap_size_group(trace->size);
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    return asnap_group_by_block(snapshot, power_of, NULL, ASNAP_SIZE_GROUPS, groups);
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

void asnap_size_label(uint32_t group, char buffer[ASNAP_LABEL_SIZE])
{
    char from[24];
    char below[24];
    if (group < 2) {
        snprintf(buffer, ASNAP_LABEL_SIZE, "%" PRIu32 " B", group);
        return;
    }
    write_power(group - 1, from);
    if (group == 64) {
        snprintf(buffer, ASNAP_LABEL_SIZE, "%s or more", from);
        return;
    }
    write_power(group, below);
    snprintf(buffer, ASNAP_LABEL_SIZE, "%s to < %s", from, below);
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)store;
    asnap_size_label(group->id, buffer);
    return buffer;
}

const struct asnap_key_kind asnap_key_size = {
    .description = {.name = "size",
                    .noun = "block size",
                    .means = "blocks so large",
                    .label = ASNAP_LABEL_RANGE,
                    .has_cumulative = false},
    .by_block = group,
    .compare = asnap_key_compare_ids,
    .label = label,
    .bounds = bounds,
};
