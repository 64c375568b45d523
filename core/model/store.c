#include "store.h"

#include <stdlib.h>
#include <string.h>

struct asnap_store *asnap_store_create(void)
{
    struct asnap_store *store = calloc(1, sizeof(*store));
    if (store != NULL)
        atomic_init(&store->references, 1);
    return store;
}

struct asnap_store *asnap_store_share(struct asnap_store *store)
{
    atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
    return store;
}

void asnap_store_release(struct asnap_store *store)
{
    if (store == NULL ||
        atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) != 1)
        return;
    asnap_names_deinit(&store->files);
    asnap_names_deinit(&store->functions);
    free(store->locations);
    free(store->frames);
    free(store->frame_order);
    free(store->frame_ids);
    free(store->tracebacks);
    for (size_t i = 0; i < store->note_count; i++)
        free(store->notes[i]);
    free(store->notes);
    for (size_t i = 0; i < store->domain_count; i++)
        free(store->domains[i].name);
    free(store->domains);
    free(store);
}

size_t asnap_store_domain(const struct asnap_store *store, uint32_t number)
{
    size_t low = 0;
    size_t high = store->domain_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->domains[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int asnap_store_compare_functions(const struct asnap_store *store, uint32_t left, uint32_t right)
{
    if (left == right)
        return 0;
    if (left == ASNAP_NONE || right == ASNAP_NONE)
        return left == ASNAP_NONE ? -1 : 1;
    return strcmp(asnap_names_get(&store->functions, left),
                  asnap_names_get(&store->functions, right));
}

static int compare_numbers(uint32_t left, uint32_t right)
{
    return (left > right) - (left < right);
}

static int compare_locations(const void *left_id, const void *right_id, void *context)
{
    const struct asnap_store *store = context;
    const struct asnap_location *left = &store->locations[*(const uint32_t *)left_id];
    const struct asnap_location *right = &store->locations[*(const uint32_t *)right_id];
    int order = compare_numbers(left->file, right->file);
    if (order == 0)
        order = compare_numbers(left->lineno, right->lineno);
    if (order == 0)
        order = asnap_store_compare_functions(store, left->function, right->function);
    return order;
}

static int compare_frames(const void *left_id, const void *right_id, void *context)
{
    const struct asnap_store *store = context;
    const struct asnap_stored_frame *left = &store->frames[*(const uint32_t *)left_id];
    const struct asnap_stored_frame *right = &store->frames[*(const uint32_t *)right_id];
    int order = compare_numbers(left->location, right->location);
    if (order == 0)
        order = compare_numbers(left->function, right->function);
    if (order == 0)
        order = (int)left->inlined - (int)right->inlined;
    return order;
}

/* The numbers below `count` in the order that `compare` gives; NULL where memory
 * is short. */
static uint32_t *sorted(struct asnap_store *store, size_t count,
                        int (*compare)(const void *, const void *, void *))
{
    uint32_t *order = calloc(count + 1, sizeof(*order));
    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof(*order), compare, store);
    return order;
}

static struct asnap_error *sort_files(struct asnap_store *store)
{
    uint32_t *rank = calloc((size_t)store->files.count + 1, sizeof(*rank));
    if (rank == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_names_sort(&store->files, rank);
    if (error == NULL) {
        for (size_t i = 0; i < store->location_count; i++)
            store->locations[i].file = rank[store->locations[i].file];
    }
    free(rank);
    return error;
}

static struct asnap_error *sort_locations(struct asnap_store *store)
{
    size_t count = store->location_count;
    uint32_t *order = sorted(store, count, compare_locations);
    uint32_t *rank = calloc(count + 1, sizeof(*rank));
    struct asnap_location *locations = calloc(count + 1, sizeof(*locations));
    if (order == NULL || rank == NULL || locations == NULL) {
        free(order);
        free(rank);
        free(locations);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < count; i++) {
        rank[order[i]] = (uint32_t)i;
        locations[i] = store->locations[order[i]];
    }
    for (size_t i = 0; i < store->frame_count; i++)
        store->frames[i].location = rank[store->frames[i].location];
    free(store->locations);
    store->locations = locations;
    free(order);
    free(rank);
    return NULL;
}

struct asnap_error *asnap_store_close(struct asnap_store *store)
{
    asnap_names_seal(&store->files);
    asnap_names_seal(&store->functions);
    struct asnap_error *error = sort_files(store);
    if (error == NULL)
        error = sort_locations(store);
    if (error != NULL)
        return error;
    store->frame_order = sorted(store, store->frame_count, compare_frames);
    return store->frame_order == NULL ? asnap_error_no_memory() : NULL;
}

struct asnap_frame asnap_store_frame(const struct asnap_store *store, uint32_t frame_id)
{
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    const struct asnap_location *location = &store->locations[frame->location];
    return (struct asnap_frame){
        .filename = asnap_names_get(&store->files, location->file),
        .function = asnap_store_function(store, frame->function),
        .lineno = location->lineno,
        .inlined = frame->inlined,
    };
}
