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
    return made;
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
