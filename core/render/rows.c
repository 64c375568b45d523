#include "rows.h"

#include <math.h>
#include <string.h>

double asnap_rows_error(const struct asnap_estimate estimates[2])
{
    return hypot(estimates[0].size_error, estimates[1].size_error);
}

/* Estimates have parts of blocks, and are rounded only after they were summed up. */
static struct asnap_statistic_diff estimate_other(const struct asnap_rows *rows, size_t shown,
                                                  struct asnap_estimate sums[2])
{
    for (size_t i = shown; i < rows->count; i++) {
        struct asnap_estimate row[2];
        rows->estimates(rows->object, i, row);
        for (int side = 0; side < 2; side++) {
            sums[side].size += row[side].size;
            sums[side].count += row[side].count;
            sums[side].size_error = hypot(sums[side].size_error, row[side].size_error);
            sums[side].count_error = hypot(sums[side].count_error, row[side].count_error);
            sums[side].sampled_count += row[side].sampled_count;
        }
    }
    int64_t counts[2] = {llround(sums[0].count), llround(sums[1].count)};
    return (struct asnap_statistic_diff){
        .size = sums[0].size,
        .count = (uint64_t)counts[0],
        .size_diff = (int64_t)sums[0].size - (int64_t)sums[1].size,
        .count_diff = counts[0] - counts[1],
    };
}

struct asnap_statistic_diff asnap_rows_other(const struct asnap_rows *rows, size_t shown,
                                             struct asnap_estimate estimates[2])
{
    memset(estimates, 0, 2 * sizeof(*estimates));
    if (asnap_rows_estimated(rows))
        return estimate_other(rows, shown, estimates);
    struct asnap_statistic_diff other = rows->total;
    for (size_t i = 0; i < shown; i++) {
        struct asnap_statistic_diff row = rows->row(rows->object, i);
        other.size -= row.size;
        other.count -= row.count;
        other.size_diff -= row.size_diff;
        other.count_diff -= row.count_diff;
    }
    return other;
}
