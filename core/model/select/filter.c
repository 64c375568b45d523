#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "snapshot.h"

/* A filter, and which frames of the store it matches. */
struct prepared {
    const struct asnap_filter *filter;
    bool *matches; /* by frame */
};

static struct asnap_error *match_files(const struct asnap_store *store, const char *text,
                                       bool *matches)
{
    struct asnap_pattern pattern = {0};
    struct asnap_error *error = asnap_pattern_init(&pattern, text);
    for (uint32_t i = 0; error == NULL && i < store->files.count; i++)
        error = asnap_pattern_match(&pattern, asnap_names_get(&store->files, i), &matches[i]);
    asnap_pattern_deinit(&pattern);
    return error;
}

/* tracemalloc: Filter._match_frame_impl, of every frame. */
static struct asnap_error *prepare(const struct asnap_store *store,
                                   const struct asnap_filter *filter, struct prepared *prepared)
{
    bool *files = calloc((size_t)store->files.count + 1, sizeof(*files));
    prepared->filter = filter;
    prepared->matches = calloc(store->frame_count + 1, sizeof(*prepared->matches));
    if (files == NULL || prepared->matches == NULL) {
        free(files);
        return asnap_error_no_memory();
    }
    struct asnap_error *error = NULL;
    if (filter->filename_pattern != NULL)
        error = match_files(store, filter->filename_pattern, files);
    if (error == NULL) {
        for (size_t i = 0; i < store->frame_count; i++) {
            const struct asnap_location *location = &store->locations[store->frames[i].location];
            prepared->matches[i] = (filter->filename_pattern == NULL || files[location->file]) &&
                                   (!filter->has_lineno || filter->lineno == location->lineno);
        }
    }
    free(files);
    return error;
}

/* tracemalloc: Filter._match, but for what the filter matches and not for what it
 * lets through. */
static bool matches_total(const struct asnap_snapshot *snapshot, const struct prepared *prepared,
                          const struct asnap_total *total)
{
    const struct asnap_store *store = snapshot->store;
    const struct asnap_filter *filter = prepared->filter;
    if (filter->has_domain && filter->domain != total->domain)
        return false;
    const uint32_t *frame_ids = asnap_store_frame_ids(store, total->traceback);
    if (!filter->all_frames)
        return prepared
            ->matches[frame_ids[asnap_skipped_frames(snapshot->skipped, total->traceback)]];
    for (size_t i = 0; i < store->tracebacks[total->traceback].frame_count; i++) {
        if (prepared->matches[frame_ids[i]])
            return true;
    }
    return false;
}

/* tracemalloc: Snapshot._filter_trace. */
static bool is_kept(const struct asnap_snapshot *snapshot, const struct prepared *prepared,
                    size_t count, const struct asnap_total *total)
{
    bool any_inclusive = false;
    bool included = false;
    for (size_t i = 0; i < count; i++) {
        bool inclusive = prepared[i].filter->inclusive;
        any_inclusive = any_inclusive || inclusive;
        if (inclusive && included)
            continue;
        if (!matches_total(snapshot, &prepared[i], total))
            continue;
        if (!inclusive)
            return false;
        included = true;
    }
    return included || !any_inclusive;
}

/* Copies what the skip rules say; false where memory is short. */
static bool copy_skipped(const struct asnap_snapshot *snapshot, struct asnap_snapshot *copy)
{
    size_t count = snapshot->store->traceback_count;
    if (snapshot->skipped == NULL)
        return true;
    copy->skipped = reallocarray(NULL, count + 1, sizeof(*copy->skipped));
    if (copy->skipped == NULL)
        return false;
    memcpy(copy->skipped, snapshot->skipped, count * sizeof(*copy->skipped));
    return true;
}

static struct asnap_error *keep(const struct asnap_snapshot *snapshot,
                                const struct prepared *prepared, size_t count,
                                struct asnap_snapshot **filtered)
{
    struct asnap_snapshot *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->totals = calloc(snapshot->total_count + 1, sizeof(*made->totals));
    made->kept = calloc(1, sizeof(struct asnap_blocks *));
    if (made->totals == NULL || made->kept == NULL || !copy_skipped(snapshot, made)) {
        asnap_snapshot_destroy(made);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const struct asnap_total *total = &snapshot->totals[i];
        if (!is_kept(snapshot, prepared, count, total))
            continue;
        made->totals[made->total_count++] = *total;
        made->size += total->size;
        made->count += total->count;
    }
    made->store = asnap_store_share(snapshot->store);
    made->blocks = asnap_blocks_share(snapshot->blocks);
    made->traceback_limit = snapshot->traceback_limit;
    *filtered = made;
    return NULL;
}

struct asnap_error *asnap_snapshot_filter(const struct asnap_snapshot *snapshot,
                                          const struct asnap_filter *filters, size_t filter_count,
                                          struct asnap_snapshot **filtered)
{
    struct prepared *prepared = calloc(filter_count + 1, sizeof(*prepared));
    if (prepared == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < filter_count; i++)
        error = prepare(snapshot->store, &filters[i], &prepared[i]);
    if (error == NULL)
        error = keep(snapshot, prepared, filter_count, filtered);
    for (size_t i = 0; i < filter_count; i++)
        free(prepared[i].matches);
    free(prepared);
    return error;
}
