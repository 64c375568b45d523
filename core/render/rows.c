#include "rows.h"

struct asnap_statistic_diff asnap_rows_other(const struct asnap_rows *rows, size_t shown)
{
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
