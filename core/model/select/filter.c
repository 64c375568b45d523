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
            ->matches[frame_ids[asnap_skipped_frames(snapshot->attribution, total->traceback)]];
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

static struct asnap_error *keep(const struct asnap_snapshot *snapshot,
                                const struct prepared *prepared, size_t count,
                                struct asnap_snapshot **filtered)
{
    const struct asnap_total_list *all = snapshot->totals;
    struct asnap_total *kept = calloc(all->count + 1, sizeof(*kept));
    if (kept == NULL)
        return asnap_error_no_memory();
    size_t kept_count = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (is_kept(snapshot, prepared, count, &all->totals[i]))
            kept[kept_count++] = all->totals[i];
    }
    struct asnap_total_list *list = asnap_total_list_create(kept, kept_count);
    if (list == NULL) {
        free(kept);
        return asnap_error_no_memory();
    }
    struct asnap_snapshot *made = asnap_snapshot_view(snapshot, list);
    if (made == NULL)
        return asnap_error_no_memory();
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
