/* Adding frames and tracebacks to a snapshot that is being built, each once. */
#include <inttypes.h>
#include <string.h>

#include "builder.h"
#include "grow.h"

#define MOST_FRAMES 65535u /* in a traceback, as in tracemalloc */

/* The array with room for one more element and its entry in an index; NULL where
 * memory is short, and the array is as it was. */
static void *reserve(void *array, size_t *capacity, size_t count, size_t element_size,
                     struct asnap_intern *index)
{
    if (count >= ASNAP_NONE - 1 || asnap_intern_reserve(index) != NULL)
        return NULL;
    return asnap_grow(array, capacity, count + 1, element_size);
}

struct location_query {
    const struct asnap_store *store;
    struct asnap_location location;
};

static bool same_location(const void *context, uint32_t id)
{
    const struct location_query *query = context;
    const struct asnap_location *other = &query->store->locations[id];
    return query->location.file == other->file && query->location.lineno == other->lineno &&
           query->location.function == other->function;
}

static struct asnap_error *add_location(struct asnap_builder *builder,
                                        struct asnap_location location, uint32_t *id)
{
    struct asnap_store *store = builder->store;
    struct location_query query = {store, location};
    uint64_t hash = asnap_hash_mix(location.file, location.lineno);
    uint32_t end = asnap_hash_end(asnap_hash_mix(hash, location.function));
    uint32_t found = asnap_intern_find(&builder->location_index, end, same_location, &query);
    if (found == ASNAP_NONE) {
        struct asnap_location *locations =
            reserve(store->locations, &builder->location_capacity, store->location_count,
                    sizeof(*locations), &builder->location_index);
        if (locations == NULL)
            return asnap_error_no_memory();
        store->locations = locations;
        found = (uint32_t)store->location_count++;
        store->locations[found] = location;
        asnap_intern_add(&builder->location_index, end, found);
    }
    *id = found;
    return NULL;
}

struct frame_query {
    const struct asnap_store *store;
    struct asnap_stored_frame frame;
};

static bool same_frame(const void *context, uint32_t id)
{
    const struct frame_query *query = context;
    const struct asnap_stored_frame *other = &query->store->frames[id];
    return query->frame.location == other->location && query->frame.function == other->function &&
           query->frame.inlined == other->inlined && query->frame.address == other->address &&
           query->frame.mapping == other->mapping;
}

static struct asnap_error *add_frame(struct asnap_builder *builder, struct asnap_stored_frame frame,
                                     uint32_t *id)
{
    struct asnap_store *store = builder->store;
    struct frame_query query = {store, frame};
    uint64_t hash = asnap_hash_mix(frame.location, frame.function);
    hash = asnap_hash_mix(hash, frame.inlined);
    hash = asnap_hash_mix(hash, frame.mapping);
    uint32_t end = asnap_hash_end(asnap_hash_mix(hash, frame.address));
    uint32_t found = asnap_intern_find(&builder->frame_index, end, same_frame, &query);
    if (found == ASNAP_NONE) {
        struct asnap_stored_frame *frames =
            reserve(store->frames, &builder->frame_capacity, store->frame_count, sizeof(*frames),
                    &builder->frame_index);
        if (frames == NULL)
            return asnap_error_no_memory();
        store->frames = frames;
        found = (uint32_t)store->frame_count++;
        store->frames[found] = frame;
        asnap_intern_add(&builder->frame_index, end, found);
    }
    *id = found;
    return NULL;
}

struct asnap_error *asnap_builder_frame(struct asnap_builder *builder,
                                        const struct asnap_frame *frame, uint64_t return_address,
                                        uint32_t mapping, uint32_t *frame_id)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    if (mapping != ASNAP_NO_MAPPING && mapping >= builder->store->mapping_count)
        return ASNAP_BUILDER_INVALID("a frame has mapping index %" PRIu32
                                     ", and %zu mappings were added",
                                     mapping, builder->store->mapping_count);
    if (frame->filename == NULL)
        return ASNAP_BUILDER_INVALID(
            "a frame has no file name: give \"<unknown>\" where it is not known");
    if (frame->named_by >= ASNAP_NAMED_KINDS)
        return ASNAP_BUILDER_INVALID("a frame has named_by %d, not a number from 0 to %d",
                                     (int)frame->named_by, ASNAP_NAMED_KINDS - 1);
    struct asnap_location location = {.lineno = frame->lineno, .function = ASNAP_NONE};
    struct asnap_stored_frame stored = {.function = ASNAP_NONE,
                                        .inlined = frame->inlined,
                                        .named_by = frame->named_by,
                                        .mapping = mapping,
                                        .address = return_address};
    error = asnap_names_add(&builder->store->files, frame->filename, &location.file);
    if (error == NULL && frame->function != NULL)
        error = asnap_names_add(&builder->store->functions, frame->function, &stored.function);
    if (frame->lineno == 0)
        location.function = stored.function;
    if (frame->named_by == ASNAP_NAMED_UNTOLD)
        stored.named_by =
            asnap_named_by_default(frame->inlined, frame->lineno, frame->function != NULL);
    if (error == NULL)
        error = add_location(builder, location, &stored.location);
    if (error == NULL)
        error = add_frame(builder, stored, frame_id);
    return error;
}

struct asnap_error *asnap_builder_offset(struct asnap_builder *builder, uint32_t frame_id,
                                         uint64_t offset)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    if (frame_id >= builder->store->frame_count)
        return ASNAP_BUILDER_INVALID("an offset for frame %" PRIu32 ", and %zu frames were added",
                                     frame_id, builder->store->frame_count);
    builder->store->frames[frame_id].offset = offset;
    return NULL;
}

struct asnap_error *asnap_builder_allocates(struct asnap_builder *builder, uint32_t frame_id,
                                            const char *type)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    if (frame_id >= builder->store->frame_count)
        return ASNAP_BUILDER_INVALID("a type for frame %" PRIu32 ", and %zu frames were added",
                                     frame_id, builder->store->frame_count);
    uint32_t number;
    error = asnap_names_add(&builder->store->allocated, type, &number);
    if (error == NULL)
        builder->store->frames[frame_id].allocates = number + 1;
    return error;
}

struct traceback_query {
    const struct asnap_store *store;
    const uint32_t *frame_ids;
    size_t frame_count;
    uint32_t total_nframe;
};

static bool same_traceback(const void *context, uint32_t id)
{
    const struct traceback_query *query = context;
    const struct asnap_traceback *other = &query->store->tracebacks[id];
    return query->frame_count == other->frame_count && query->total_nframe == other->total_nframe &&
           memcmp(query->frame_ids, asnap_store_frame_ids(query->store, id),
                  query->frame_count * sizeof(*query->frame_ids)) == 0;
}

static struct asnap_error *add_traceback(struct asnap_builder *builder,
                                         const struct traceback_query *query, uint32_t *id)
{
    struct asnap_store *store = builder->store;
    size_t frame_ids_size = query->frame_count * sizeof(*query->frame_ids);
    uint64_t hash =
        asnap_hash_mix(asnap_hash_bytes(query->frame_ids, frame_ids_size), query->total_nframe);
    uint32_t end = asnap_hash_end(hash);
    uint32_t found = asnap_intern_find(&builder->traceback_index, end, same_traceback, query);
    if (found == ASNAP_NONE) {
        struct asnap_traceback *tracebacks =
            reserve(store->tracebacks, &builder->traceback_capacity, store->traceback_count,
                    sizeof(*tracebacks), &builder->traceback_index);
        if (tracebacks == NULL)
            return asnap_error_no_memory();
        store->tracebacks = tracebacks;
        uint32_t *frame_ids =
            asnap_grow(store->frame_ids, &builder->frame_id_capacity,
                       store->frame_id_count + query->frame_count, sizeof(*frame_ids));
        if (frame_ids == NULL)
            return asnap_error_no_memory();
        store->frame_ids = frame_ids;
        memcpy(frame_ids + store->frame_id_count, query->frame_ids, frame_ids_size);
        found = (uint32_t)store->traceback_count++;
        store->tracebacks[found] = (struct asnap_traceback){
            .first = store->frame_id_count,
            .frame_count = (uint32_t)query->frame_count,
            .total_nframe = query->total_nframe,
        };
        store->frame_id_count += query->frame_count;
        asnap_intern_add(&builder->traceback_index, end, found);
    }
    *id = found;
    return NULL;
}

struct asnap_error *asnap_builder_traceback(struct asnap_builder *builder,
                                            const uint32_t *frame_ids, size_t frame_count,
                                            uint32_t total_nframe, uint32_t *traceback_id)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    bool counted = total_nframe != ASNAP_TOTAL_UNKNOWN;
    if (frame_count > MOST_FRAMES || (counted && total_nframe > MOST_FRAMES))
        return ASNAP_BUILDER_INVALID(
            "a traceback has more than 65535 frames: cut it and keep the newest");
    if (total_nframe != 0 && total_nframe < frame_count)
        return ASNAP_BUILDER_INVALID(
            "a traceback has %zu frames, more than its total_nframe, %" PRIu32, frame_count,
            total_nframe);
    for (size_t i = 0; i < frame_count; i++) {
        if (frame_ids[i] >= builder->store->frame_count)
            return ASNAP_BUILDER_INVALID("a traceback has frame index %" PRIu32
                                         ", and %zu frames were added",
                                         frame_ids[i], builder->store->frame_count);
    }
    /* As tracemalloc's own unknown traceback: a row of its own, never an empty one. */
    uint32_t unknown_id = 0;
    if (frame_count == 0) {
        struct asnap_frame unknown = {.filename = "<unknown>"};
        error = asnap_builder_frame(builder, &unknown, 0, ASNAP_NO_MAPPING, &unknown_id);
        if (error != NULL)
            return error;
        frame_ids = &unknown_id;
        frame_count = 1;
    }
    struct traceback_query query = {
        .store = builder->store,
        .frame_ids = frame_ids,
        .frame_count = frame_count,
        .total_nframe = total_nframe != 0 ? total_nframe : (uint32_t)frame_count,
    };
    return add_traceback(builder, &query, traceback_id);
}

struct asnap_error *asnap_builder_tracebacks(struct asnap_builder *builder,
                                             const uint32_t *frame_ids,
                                             const uint32_t *frame_counts,
                                             const uint32_t *total_nframes, size_t count,
                                             uint32_t *traceback_ids)
{
    for (size_t i = 0; i < count; i++) {
        struct asnap_error *error = asnap_builder_traceback(builder, frame_ids, frame_counts[i],
                                                            total_nframes[i], &traceback_ids[i]);
        if (error != NULL)
            return error;
        frame_ids += frame_counts[i];
    }
    return NULL;
}
