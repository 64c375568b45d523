#include <stdlib.h>
#include <string.h>

#include "allocsnap_graph.h"
#include "error.h"
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

/* What filters look at. */
struct candidate {
    uint32_t traceback;
    uint32_t domain;
    uint32_t class_bit; /* of its asnap_reach_class */
};

/* tracemalloc: Filter._match, but for what the filter matches and not for what it
 * lets through. */
static bool matches(const struct asnap_snapshot *snapshot, const struct prepared *prepared,
                    const struct candidate *one)
{
    const struct asnap_store *store = snapshot->store;
    const struct asnap_filter *filter = prepared->filter;
    if (filter->has_domain && filter->domain != one->domain)
        return false;
    if (filter->classes != 0 && (filter->classes & one->class_bit) == 0)
        return false;
    const uint32_t *frame_ids = asnap_store_frame_ids(store, one->traceback);
    if (!filter->all_frames)
        return prepared
            ->matches[frame_ids[asnap_skipped_frames(snapshot->attribution, one->traceback)]];
    for (size_t i = 0; i < store->tracebacks[one->traceback].frame_count; i++) {
        if (prepared->matches[frame_ids[i]])
            return true;
    }
    return false;
}

/* tracemalloc: Snapshot._filter_trace. */
static bool is_kept(const struct asnap_snapshot *snapshot, const struct prepared *prepared,
                    size_t count, const struct candidate *one)
{
    bool any_inclusive = false;
    bool included = false;
    for (size_t i = 0; i < count; i++) {
        bool inclusive = prepared[i].filter->inclusive;
        any_inclusive = any_inclusive || inclusive;
        if (inclusive && included)
            continue;
        if (!matches(snapshot, &prepared[i], one))
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
    bool is_sample = all->weights != NULL;
    struct asnap_total *kept = calloc(all->count + 1, sizeof(*kept));
    struct asnap_weight *weights = is_sample ? calloc(all->count + 1, sizeof(*weights)) : NULL;
    if (kept == NULL || (is_sample && weights == NULL)) {
        free(kept);
        free(weights);
        return asnap_error_no_memory();
    }
    size_t kept_count = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct candidate one = {all->totals[i].traceback, all->totals[i].domain, 0};
        if (!is_kept(snapshot, prepared, count, &one))
            continue;
        if (is_sample)
            weights[kept_count] = all->weights[i];
        kept[kept_count++] = all->totals[i];
    }
    struct asnap_total_list *list = asnap_total_list_create(kept, kept_count, weights);
    if (list == NULL) {
        free(kept);
        free(weights);
        return asnap_error_no_memory();
    }
    struct asnap_snapshot *made = asnap_snapshot_view(snapshot, list);
    if (made == NULL)
        return asnap_error_no_memory();
    *filtered = made;
    return NULL;
}

/* Block by block, since those of one stack can have several classes. */
static struct asnap_error *keep_blocks(const struct asnap_graph *graph,
                                       const struct asnap_snapshot *snapshot,
                                       const struct prepared *prepared, size_t count,
                                       struct asnap_snapshot **filtered)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint8_t *chosen = calloc(blocks->count + 1, 1);
    if (chosen == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < blocks->count; i++) {
        const struct asnap_trace *trace = &blocks->traces[i];
        struct candidate one = {trace->traceback_id, trace->domain, 0};
        uint32_t block = asnap_graph_block_of(graph, trace);
        if (block != ASNAP_GRAPH_NO_BLOCK)
            one.class_bit = 1u << asnap_graph_block(graph, block).reach;
        chosen[i] = is_kept(snapshot, prepared, count, &one);
    }
    error = asnap_snapshot_choose(snapshot, chosen, filtered);
    free(chosen);
    return error;
}

/* Without a graph, no filter has classes. */
static struct asnap_error *filter(const struct asnap_graph *graph,
                                  const struct asnap_snapshot *snapshot,
                                  const struct asnap_filter *filters, size_t filter_count,
                                  struct asnap_snapshot **filtered)
{
    struct prepared *prepared = calloc(filter_count + 1, sizeof(*prepared));
    if (prepared == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < filter_count; i++)
        error = prepare(snapshot->store, &filters[i], &prepared[i]);
    if (error == NULL && graph == NULL)
        error = keep(snapshot, prepared, filter_count, filtered);
    else if (error == NULL)
        error = keep_blocks(graph, snapshot, prepared, filter_count, filtered);
    for (size_t i = 0; i < filter_count; i++)
        free(prepared[i].matches);
    free(prepared);
    return error;
}

static bool has_classes(const struct asnap_filter *filters, size_t filter_count)
{
    for (size_t i = 0; i < filter_count; i++) {
        if (filters[i].classes != 0)
            return true;
    }
    return false;
}

struct asnap_error *asnap_snapshot_filter(const struct asnap_snapshot *snapshot,
                                          const struct asnap_filter *filters, size_t filter_count,
                                          struct asnap_snapshot **filtered)
{
    if (has_classes(filters, filter_count))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_snapshot_filter: a filter has classes, which only "
                                  "asnap_graph_filter can tell");
    return filter(NULL, snapshot, filters, filter_count, filtered);
}

struct asnap_error *asnap_graph_filter(const struct asnap_graph *graph,
                                       const struct asnap_snapshot *snapshot,
                                       const struct asnap_filter *filters, size_t filter_count,
                                       struct asnap_snapshot **filtered)
{
    const struct asnap_graph *asked = has_classes(filters, filter_count) ? graph : NULL;
    return filter(asked, snapshot, filters, filter_count, filtered);
}
