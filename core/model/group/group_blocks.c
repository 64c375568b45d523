#include <stdlib.h>

#include "group.h"

struct asnap_error *
asnap_group_by_block(const struct asnap_snapshot *snapshot,
                     uint32_t (*number)(const void *context, const struct asnap_trace *trace),
                     const void *context, uint32_t number_count, struct asnap_groups *groups)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint64_t period = snapshot->store->sample_period;
    struct asnap_group *rows = calloc((size_t)number_count + 1, sizeof(*rows));
    struct asnap_weight *weights =
        period == 0 ? NULL : calloc((size_t)number_count + 1, sizeof(*weights));
    if (rows == NULL || (period != 0 && weights == NULL)) {
        free(rows);
        free(weights);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < blocks->count; i++) {
        const struct asnap_trace *trace = &blocks->traces[i];
        uint32_t id = number(context, trace);
        struct asnap_group *row = &rows[id];
        if (groups->numbers != NULL)
            groups->numbers[i] = id;
        row->size += trace->size;
        row->count++;
        /* All together they are not too large. */
        if (weights != NULL)
            (void)asnap_weight_add_block(&weights[id], trace->size, period);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < number_count; i++) {
        if (rows[i].count == 0)
            continue;
        rows[count] = rows[i];
        rows[count].id = i;
        rows[count].place = i;
        if (weights != NULL) {
            rows[count].size = weights[i].size;
            rows[count].count = asnap_weight_count(&weights[i]);
        }
        rows[count++].frame = ASNAP_NONE;
    }
    groups->rows = rows;
    groups->weights = weights;
    groups->count = count;
    return NULL;
}
