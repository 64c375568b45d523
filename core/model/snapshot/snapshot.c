#include "snapshot.h"

#include <stdlib.h>

void asnap_snapshot_destroy(struct asnap_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    asnap_store_release(snapshot->store);
    asnap_blocks_release(snapshot->blocks);
    if (snapshot->kept != NULL)
        asnap_blocks_release(*snapshot->kept);
    free(snapshot->kept);
    free(snapshot->totals);
    free(snapshot->skipped);
    free(snapshot);
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
