/* What the names of a snapshot's frames are from, by the bytes of their blocks. */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

struct asnap_naming_summary {
    struct asnap_store *store;
    struct asnap_naming_part *parts;
    size_t count;
};

/* The parts of one path: each origin of names, without and with lines. */
#define PARTS_OF_PATH ((size_t)2 * ASNAP_NAMED_KINDS)

static int compare_parts(const void *left, const void *right)
{
    const struct asnap_naming_part *a = left;
    const struct asnap_naming_part *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    int order = strcmp(a->path == NULL ? "" : a->path, b->path == NULL ? "" : b->path);
    if (order != 0)
        return order;
    return (a->named_by > b->named_by) - (a->named_by < b->named_by);
}

/* Adds up the blocks for each path, the one that is not known last. `parts` are all zero. */
static void add_up(const struct asnap_snapshot *snapshot, struct asnap_naming_part *parts)
{
    const struct asnap_store *store = snapshot->store;
    for (size_t i = 0; i < snapshot->totals->count; i++) {
        const struct asnap_total *total = &snapshot->totals->totals[i];
        uint32_t skipped = asnap_skipped_frames(snapshot->attribution, total->traceback);
        const struct asnap_stored_frame *frame =
            &store->frames[asnap_store_frame_ids(store, total->traceback)[skipped]];
        bool has_line = store->locations[frame->location].lineno != 0;
        uint32_t path = frame->mapping == ASNAP_NONE ? store->mapping_names.count
                                                     : store->mappings[frame->mapping].path;
        struct asnap_naming_part *part =
            &parts[path * PARTS_OF_PATH + (size_t)2 * frame->named_by + has_line];
        part->path =
            frame->mapping == ASNAP_NONE ? NULL : asnap_names_get(&store->mapping_names, path);
        part->named_by = frame->named_by;
        part->has_line = has_line;
        struct asnap_sum sum = asnap_total_sum(snapshot->totals, i);
        part->size += sum.size;
        part->count += sum.count;
    }
}

struct asnap_error *asnap_naming_summary_create(const struct asnap_snapshot *snapshot,
                                                struct asnap_naming_summary **summary)
{
    size_t most = ((size_t)snapshot->store->mapping_names.count + 1) * PARTS_OF_PATH;
    struct asnap_naming_summary *made = calloc(1, sizeof(*made));
    struct asnap_naming_part *parts = calloc(most, sizeof(*parts));
    if (made == NULL || parts == NULL) {
        free(made);
        free(parts);
        return asnap_error_no_memory();
    }
    add_up(snapshot, parts);
    for (size_t i = 0; i < most; i++) {
        if (parts[i].count == 0)
            continue;
        struct asnap_sum sum = {parts[i].size, parts[i].count};
        parts[i].count = asnap_total_whole(snapshot->totals, sum).count;
        parts[made->count++] = parts[i];
    }
    qsort(parts, made->count, sizeof(*parts), compare_parts);
    made->parts = parts;
    made->store = asnap_store_share(snapshot->store);
    *summary = made;
    return NULL;
}

void asnap_naming_summary_destroy(struct asnap_naming_summary *summary)
{
    if (summary == NULL)
        return;
    asnap_store_release(summary->store);
    free(summary->parts);
    free(summary);
}

size_t asnap_naming_summary_count(const struct asnap_naming_summary *summary)
{
    return summary->count;
}

struct asnap_naming_part asnap_naming_summary_part(const struct asnap_naming_summary *summary,
                                                   size_t index)
{
    return summary->parts[index];
}

size_t asnap_snapshot_unnamed_count(const struct asnap_snapshot *snapshot)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->store->frame_count; i++)
        count += snapshot->store->frames[i].named_by == ASNAP_NAMED_ADDRESS;
    return count;
}
