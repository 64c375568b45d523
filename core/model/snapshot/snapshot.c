#include "snapshot.h"

#include <stdlib.h>

void asnap_snapshot_destroy(struct asnap_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    asnap_store_release(snapshot->store);
    asnap_blocks_release(snapshot->blocks);
    asnap_blocks_release(snapshot->origin);
    if (snapshot->kept != NULL)
        asnap_blocks_release(*snapshot->kept);
    free(snapshot->kept);
    asnap_total_list_release(snapshot->totals);
    asnap_attribution_release(snapshot->attribution);
    free(snapshot);
}

/* False: they are too large. */
static bool add_weights(struct asnap_snapshot *snapshot)
{
    const struct asnap_total_list *totals = snapshot->totals;
    bool fits = true;
    for (size_t i = 0; totals->weights != NULL && i < totals->count; i++)
        fits = fits && asnap_weight_add(&snapshot->weight, &totals->weights[i]);
    return fits;
}

struct asnap_snapshot *asnap_snapshot_view(const struct asnap_snapshot *snapshot,
                                           struct asnap_total_list *totals)
{
    struct asnap_snapshot *made = calloc(1, sizeof(*made));
    bool is_whole = totals == snapshot->totals && snapshot->kept == NULL;
    if (made != NULL && !is_whole)
        made->kept = calloc(1, sizeof(struct asnap_blocks *));
    if (made == NULL || (!is_whole && made->kept == NULL)) {
        asnap_total_list_release(totals);
        free(made);
        return NULL;
    }
    /* What has been listed already need not be listed again. */
    if (!is_whole && totals == snapshot->totals && *snapshot->kept != NULL)
        *made->kept = asnap_blocks_share(*snapshot->kept);
    made->store = asnap_store_share(snapshot->store);
    made->blocks = asnap_blocks_share(snapshot->blocks);
    made->origin = snapshot->origin == NULL ? NULL : asnap_blocks_share(snapshot->origin);
    made->attribution = asnap_attribution_share(snapshot->attribution);
    made->traceback_limit = snapshot->traceback_limit;
    made->totals = totals;
    for (size_t i = 0; i < totals->count; i++) {
        made->size += totals->totals[i].size;
        made->count += totals->totals[i].count;
    }
    /* They are some of those of a sum that was not too large. */
    (void)add_weights(made);
    return made;
}

struct asnap_error *asnap_snapshot_weigh(struct asnap_snapshot *snapshot)
{
    const struct asnap_store *store = snapshot->store;
    if (store->sample_period == 0)
        return NULL;
    struct asnap_error *error =
        asnap_totals_weigh(snapshot->totals, snapshot->blocks->traces, snapshot->blocks->count,
                           store->traceback_count, store->sample_period);
    if (error == NULL && !add_weights(snapshot))
        error = asnap_weight_too_large();
    return error;
}

struct asnap_sum asnap_snapshot_sum(const struct asnap_snapshot *snapshot)
{
    if (snapshot->store->sample_period == 0)
        return (struct asnap_sum){snapshot->size, snapshot->count};
    return (struct asnap_sum){snapshot->weight.size, asnap_weight_count(&snapshot->weight)};
}

struct asnap_estimate asnap_snapshot_estimate(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->sample_period == 0 ? asnap_sum_estimate(snapshot->size, snapshot->count)
                                               : asnap_weight_estimate(&snapshot->weight);
}

uint64_t asnap_snapshot_sample_period(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->sample_period;
}

uint64_t asnap_snapshot_size(const struct asnap_snapshot *snapshot)
{
    return snapshot->size;
}

uint64_t asnap_snapshot_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->count;
}

uint32_t asnap_snapshot_traceback_limit(const struct asnap_snapshot *snapshot)
{
    return snapshot->traceback_limit;
}

size_t asnap_snapshot_note_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->note_count;
}

const char *asnap_snapshot_note(const struct asnap_snapshot *snapshot, size_t index)
{
    return snapshot->store->notes[index];
}

size_t asnap_snapshot_mapping_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->mapping_count;
}

struct asnap_mapping asnap_snapshot_mapping(const struct asnap_snapshot *snapshot, size_t index)
{
    const struct asnap_store *store = snapshot->store;
    const struct asnap_stored_mapping *mapping = &store->mappings[index];
    return (struct asnap_mapping){
        .start = mapping->start,
        .end = mapping->end,
        .file_offset = mapping->file_offset,
        .path = asnap_names_get(&store->mapping_names, mapping->path),
        .build_id = asnap_names_get(&store->mapping_names, mapping->build_id),
    };
}

uint64_t asnap_snapshot_start_time(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->start_time;
}

size_t asnap_snapshot_thread_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->thread_count;
}

uint32_t asnap_snapshot_thread(const struct asnap_snapshot *snapshot, uint32_t place)
{
    const struct asnap_store *store = snapshot->store;
    return place < store->thread_count ? store->threads[place] : 0;
}

size_t asnap_snapshot_attribute_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->attribute_count;
}

struct asnap_attribute asnap_snapshot_attribute(const struct asnap_snapshot *snapshot, size_t index)
{
    const struct asnap_stored_attribute *attribute = &snapshot->store->attributes[index];
    return (struct asnap_attribute){.name = attribute->name, .value = attribute->value};
}

const char *asnap_snapshot_class(const struct asnap_snapshot *snapshot,
                                 const struct asnap_trace *trace)
{
    const struct asnap_types *types = snapshot->store->types;
    uint32_t type = types == NULL ? ASNAP_NONE : asnap_types_of(types, trace);
    return type == ASNAP_NONE ? NULL : types->names[type];
}
