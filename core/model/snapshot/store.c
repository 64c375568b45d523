#include "store.h"

#include <stdlib.h>

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
    asnap_names_deinit(&store->allocated);
    free(store->locations);
    free(store->frames);
    free(store->frame_order);
    free(store->frame_ids);
    free(store->tracebacks);
    asnap_store_lists_deinit(store);
    asnap_types_destroy(store->types);
    asnap_types_destroy(store->owners);
    free(store);
}

int asnap_location_compare(const struct asnap_location *left, const struct asnap_location *right)
{
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    if (left->lineno != right->lineno)
        return left->lineno < right->lineno ? -1 : 1;
    return asnap_function_compare(left->function, right->function);
}

int asnap_store_compare_frames(const struct asnap_store *store, uint32_t left_id, uint32_t right_id)
{
    const struct asnap_stored_frame *left = &store->frames[left_id];
    const struct asnap_stored_frame *right = &store->frames[right_id];
    if (left->location != right->location)
        return left->location < right->location ? -1 : 1;
    if (left->function != right->function)
        return left->function < right->function ? -1 : 1;
    if (left->inlined != right->inlined)
        return right->inlined ? -1 : 1;
    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    return (left->mapping > right->mapping) - (left->mapping < right->mapping);
}

static int compare_locations(const void *left, const void *right, void *context)
{
    const struct asnap_store *store = context;
    return asnap_location_compare(&store->locations[*(const uint32_t *)left],
                                  &store->locations[*(const uint32_t *)right]);
}

static int compare_frames(const void *left, const void *right, void *context)
{
    return asnap_store_compare_frames(context, *(const uint32_t *)left, *(const uint32_t *)right);
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

/* Sorts names; `rank` is the new number of each, to be freed. */
static struct asnap_error *sort_names(struct asnap_names *names, uint32_t **rank)
{
    *rank = calloc((size_t)names->count + 1, sizeof(**rank));
    return *rank == NULL ? asnap_error_no_memory() : asnap_names_sort(names, *rank);
}

static void renumber(uint32_t *function, const uint32_t *rank)
{
    if (*function != ASNAP_NONE)
        *function = rank[*function];
}

static struct asnap_error *sort_all_names(struct asnap_store *store)
{
    uint32_t *files = NULL;
    uint32_t *functions = NULL;
    struct asnap_error *error = sort_names(&store->files, &files);
    if (error == NULL)
        error = sort_names(&store->functions, &functions);
    for (size_t i = 0; error == NULL && i < store->location_count; i++) {
        store->locations[i].file = files[store->locations[i].file];
        renumber(&store->locations[i].function, functions);
    }
    for (size_t i = 0; error == NULL && i < store->frame_count; i++)
        renumber(&store->frames[i].function, functions);
    free(files);
    free(functions);
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
    asnap_names_seal(&store->allocated);
    asnap_names_seal(&store->mapping_names);
    struct asnap_error *error = sort_all_names(store);
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
        .named_by = frame->named_by,
    };
}

struct asnap_error *asnap_attributes_create(const struct asnap_attribute *attributes, size_t count,
                                            struct asnap_store **store)
{
    struct asnap_store *made = asnap_store_create();
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < count; i++)
        error = asnap_store_set_attribute(made, attributes[i].name, attributes[i].value);
    if (error != NULL) {
        asnap_store_release(made);
        return error;
    }
    *store = made;
    return NULL;
}

struct asnap_place asnap_store_place(const struct asnap_store *store, uint32_t frame_id)
{
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    struct asnap_place place = {.build_id = "", .offset = frame->offset};
    if (frame->mapping != ASNAP_NONE) {
        const struct asnap_stored_mapping *mapping = &store->mappings[frame->mapping];
        place.module = asnap_names_get(&store->mapping_names, mapping->path);
        place.build_id = asnap_names_get(&store->mapping_names, mapping->build_id);
    }
    return place;
}
