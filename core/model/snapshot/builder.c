#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "grow.h"
#include "snapshot.h"

struct asnap_error *asnap_builder_create(struct asnap_builder **builder)
{
    struct asnap_builder *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->store = asnap_store_create();
    if (made->store == NULL) {
        free(made);
        return asnap_error_no_memory();
    }
    *builder = made;
    return NULL;
}

void asnap_builder_destroy(struct asnap_builder *builder)
{
    if (builder == NULL)
        return;
    asnap_store_release(builder->store);
    asnap_intern_deinit(&builder->location_index);
    asnap_intern_deinit(&builder->frame_index);
    asnap_intern_deinit(&builder->traceback_index);
    free(builder->traces);
    free(builder);
}

struct asnap_error *asnap_builder_check(const struct asnap_builder *builder)
{
    return builder->store != NULL
               ? NULL
               : ASNAP_BUILDER_INVALID("its builder is finished already: create another");
}

/* What the builder's blocks sum to with these. */
static struct asnap_error *add_sizes(const struct asnap_builder *builder,
                                     const struct asnap_trace *traces, size_t count, uint64_t *sum)
{
    uint64_t size = builder->size;
    size_t traceback_count = builder->store->traceback_count;
    size_t thread_count = builder->store->thread_count;
    for (size_t i = 0; i < count; i++) {
        if (traces[i].traceback_id >= traceback_count)
            return ASNAP_BUILDER_INVALID("block %zu has traceback_id %" PRIu32
                                         ", and %zu tracebacks were added",
                                         i, traces[i].traceback_id, traceback_count);
        if (traces[i].thread != 0 && traces[i].thread >= thread_count)
            return ASNAP_BUILDER_INVALID("block %zu has thread index %" PRIu32
                                         ", and %zu threads were given",
                                         i, traces[i].thread, thread_count);
        if (traces[i].size > (uint64_t)INT64_MAX - size)
            return ASNAP_BUILDER_INVALID(
                "its blocks have more than 9223372036854775807 bytes in all");
        size += traces[i].size;
    }
    *sum = size;
    return NULL;
}

struct asnap_error *asnap_builder_traces(struct asnap_builder *builder,
                                         const struct asnap_trace *traces, size_t count)
{
    uint64_t size;
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL || count == 0)
        return error;
    error = add_sizes(builder, traces, count, &size);
    if (error != NULL)
        return error;
    if (count >= ASNAP_NONE - builder->trace_count)
        return ASNAP_BUILDER_INVALID("it has more than 4294967294 blocks");
    struct asnap_trace *grown = asnap_grow(builder->traces, &builder->trace_capacity,
                                           builder->trace_count + count, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    memcpy(grown + builder->trace_count, traces, count * sizeof(*grown));
    builder->traces = grown;
    builder->trace_count += count;
    builder->size = size;
    return NULL;
}

struct asnap_error *asnap_builder_take_traces(struct asnap_builder *builder,
                                              struct asnap_trace *traces, size_t count)
{
    if (builder->trace_count != 0) {
        struct asnap_error *error = asnap_builder_traces(builder, traces, count);
        if (error == NULL)
            free(traces);
        return error;
    }
    uint64_t size;
    struct asnap_error *error = asnap_builder_check(builder);
    if (error == NULL)
        error = add_sizes(builder, traces, count, &size);
    if (error != NULL)
        return error;
    free(builder->traces);
    builder->traces = traces;
    builder->trace_count = count;
    builder->trace_capacity = count;
    builder->size = size;
    return NULL;
}

struct asnap_error *asnap_builder_note(struct asnap_builder *builder, const char *note)
{
    struct asnap_error *error = asnap_builder_check(builder);
    return error != NULL ? error : asnap_store_add_note(builder->store, note);
}

struct asnap_error *asnap_builder_domain_name(struct asnap_builder *builder, uint32_t domain,
                                              const char *name)
{
    struct asnap_error *error = asnap_builder_check(builder);
    return error != NULL ? error : asnap_store_name_domain(builder->store, domain, name);
}

struct asnap_error *asnap_builder_attribute(struct asnap_builder *builder, const char *name,
                                            const char *value)
{
    struct asnap_error *error = asnap_builder_check(builder);
    return error != NULL ? error : asnap_store_set_attribute(builder->store, name, value);
}

struct asnap_error *asnap_builder_mapping(struct asnap_builder *builder,
                                          const struct asnap_mapping *mapping)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    if (mapping->path == NULL || mapping->start >= mapping->end)
        return ASNAP_BUILDER_INVALID("a mapping from 0x%" PRIx64 " to 0x%" PRIx64 " %s",
                                     mapping->start, mapping->end,
                                     mapping->path == NULL ? "has no path" : "has no bytes");
    return asnap_store_add_mapping(builder->store, mapping);
}

struct asnap_error *asnap_builder_threads(struct asnap_builder *builder, const uint32_t *threads,
                                          size_t count)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    if (builder->store->thread_count != 0)
        return ASNAP_BUILDER_INVALID("its threads were given already");
    if (count >= ASNAP_NONE)
        return ASNAP_BUILDER_INVALID("%zu threads, more than 4294967294", count);
    if (count > 0 && threads[0] != 0)
        return ASNAP_BUILDER_INVALID("the first of its threads is %" PRIu32
                                     ", not 0, which stands for an unknown thread",
                                     threads[0]);
    return asnap_store_set_threads(builder->store, threads, count);
}

struct asnap_error *asnap_builder_start_time(struct asnap_builder *builder, uint64_t nanoseconds)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error == NULL)
        builder->store->start_time = nanoseconds;
    return error;
}

struct asnap_error *asnap_builder_sample_period(struct asnap_builder *builder, uint64_t period)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    if (period > ASNAP_SAMPLE_PERIOD_MAX)
        return ASNAP_BUILDER_INVALID(
            "the period of its sample is %" PRIu64 " bytes, more than 1099511627776", period);
    builder->store->sample_period = period;
    return NULL;
}

/* Gives back what growing has taken too much of the large arrays. */
static bool trim(struct asnap_builder *builder)
{
    struct asnap_store *store = builder->store;
    /* Not all of it: the next snapshot may be filled into what this one gives back. */
    size_t wanted = builder->trace_count + builder->trace_count / 8 + 1;
    if (builder->trace_capacity > wanted || builder->traces == NULL) {
        struct asnap_trace *traces = reallocarray(builder->traces, wanted, sizeof(*traces));
        if (traces == NULL)
            return false;
        builder->traces = traces;
    }
    uint32_t *frame_ids =
        reallocarray(store->frame_ids, store->frame_id_count + 1, sizeof(*frame_ids));
    if (frame_ids == NULL)
        return false;
    store->frame_ids = frame_ids;
    struct asnap_traceback *tracebacks =
        reallocarray(store->tracebacks, store->traceback_count + 1, sizeof(*tracebacks));
    if (tracebacks == NULL)
        return false;
    store->tracebacks = tracebacks;
    return true;
}

/* Moves what the builder holds into a snapshot. */
static struct asnap_error *fill(struct asnap_builder *builder, struct asnap_snapshot *snapshot)
{
    if (!trim(builder))
        return asnap_error_no_memory();
    if (builder->store->start_time == 0) {
        for (size_t i = 0; i < builder->trace_count; i++)
            builder->traces[i].time = ASNAP_TIME_UNKNOWN;
    }
    snapshot->blocks = asnap_blocks_create(builder->traces, builder->trace_count);
    if (snapshot->blocks == NULL)
        return asnap_error_no_memory();
    builder->traces = NULL;
    snapshot->store = builder->store;
    builder->store = NULL;
    struct asnap_error *error = asnap_store_close(snapshot->store);
    if (error != NULL)
        return error;
    error = asnap_totals_create(snapshot->blocks->traces, snapshot->blocks->count,
                                snapshot->store->traceback_count, &snapshot->totals);
    return error != NULL ? error : asnap_snapshot_weigh(snapshot);
}

struct asnap_error *asnap_builder_finish(struct asnap_builder *builder, uint32_t traceback_limit,
                                         struct asnap_snapshot **snapshot)
{
    struct asnap_error *error = asnap_builder_check(builder);
    if (error != NULL)
        return error;
    struct asnap_snapshot *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->size = builder->size;
    made->count = builder->trace_count;
    made->traceback_limit = traceback_limit;
    error = fill(builder, made);
    if (error != NULL) {
        asnap_snapshot_destroy(made);
        return error;
    }
    *snapshot = made;
    return NULL;
}
