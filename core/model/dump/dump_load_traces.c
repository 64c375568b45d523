/* The traces of a dump file: what each says is checked as it comes, and summed up. */
#include "dump_load_traces.h"

#include <stdlib.h>

#include "dump_strings.h"

/* Reads the traces of a file that has neither threads nor times of them. */
static struct asnap_error *read_timeless(const struct asnap_dump_reader *reader,
                                         struct asnap_trace **traces, size_t *count)
{
    struct asnap_dump_timeless_trace *read = NULL;
    struct asnap_error *error =
        asnap_dump_read_array(reader, ASNAP_DUMP_TRACES, sizeof(*read), &read, count);
    if (error != NULL) {
        free(read);
        return error;
    }
    struct asnap_trace *converted = reallocarray(NULL, *count + 1, sizeof(*converted));
    if (converted == NULL) {
        free(read);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < *count; i++) {
        converted[i] = (struct asnap_trace){
            .address = read[i].address,
            .size = read[i].size,
            .traceback_id = read[i].traceback_id,
            .domain = read[i].domain,
            .time = ASNAP_TIME_UNKNOWN,
        };
    }
    free(read);
    *traces = converted;
    return NULL;
}

struct adding {
    const struct asnap_dump_reader *reader;
    struct asnap_snapshot *snapshot;
    struct asnap_totals totals;
};

/* Checks traces and sums them up. */
static struct asnap_error *look_at_traces(void *context, const void *elements, size_t count)
{
    struct adding *adding = context;
    struct asnap_snapshot *snapshot = adding->snapshot;
    const struct asnap_store *store = snapshot->store;
    const struct asnap_trace *traces = elements;
    for (size_t i = 0; i < count; i++) {
        if (traces[i].traceback_id >= store->traceback_count)
            return asnap_dump_damaged(adding->reader,
                                      "block at 0x%llx: traceback index %u of %zu tracebacks",
                                      (unsigned long long)traces[i].address, traces[i].traceback_id,
                                      store->traceback_count);
        if (traces[i].thread != 0 && traces[i].thread >= store->thread_count)
            return asnap_dump_damaged(
                adding->reader, "block at 0x%llx: thread index %u of %zu threads",
                (unsigned long long)traces[i].address, traces[i].thread, store->thread_count);
        if (traces[i].time != ASNAP_TIME_UNKNOWN && store->start_time == 0)
            return asnap_dump_damaged(adding->reader,
                                      "block at 0x%llx has a time, but the file has no start time",
                                      (unsigned long long)traces[i].address);
        if (traces[i].size > (uint64_t)INT64_MAX - snapshot->size)
            return asnap_dump_damaged(
                adding->reader,
                "the sizes of its blocks, up to the block at 0x%llx, are 2^63 bytes or more",
                (unsigned long long)traces[i].address);
        snapshot->size += traces[i].size;
    }
    return asnap_totals_add(&adding->totals, traces, count);
}

/* Reads traces, and looks at them. */
static struct asnap_error *load_traces(const struct asnap_dump_reader *reader,
                                       struct adding *adding, struct asnap_trace **traces,
                                       size_t *count)
{
    const struct asnap_dump_look look = {look_at_traces, adding};
    if (reader->header.version == ASNAP_DUMP_VERSION_TIMELESS) {
        struct asnap_error *error = read_timeless(reader, traces, count);
        if (error != NULL || *traces == NULL)
            return error;
        return look_at_traces(adding, *traces, *count);
    }
    void *elements = NULL;
    struct asnap_error *error = asnap_dump_read_looking(
        reader, ASNAP_DUMP_TRACES, sizeof(struct asnap_trace), &look, &elements, count);
    *traces = elements;
    return error;
}

static struct asnap_error *take_traces(const struct asnap_dump_reader *reader,
                                       struct asnap_snapshot *snapshot, struct adding *adding)
{
    struct asnap_trace *traces = NULL;
    size_t count = 0;
    struct asnap_error *error = load_traces(reader, adding, &traces, &count);
    if (error == NULL && count >= ASNAP_NONE)
        error = asnap_dump_damaged(reader, "it has %zu blocks, more than can be counted", count);
    if (error == NULL)
        error = asnap_totals_finish(&adding->totals, &snapshot->totals);
    if (error == NULL)
        snapshot->blocks = asnap_blocks_create(traces, count);
    if (error == NULL && snapshot->blocks == NULL)
        error = asnap_error_no_memory();
    if (error != NULL)
        free(traces);
    snapshot->count = count;
    if (error == NULL)
        error = asnap_snapshot_weigh(snapshot);
    if (error != NULL && asnap_error_code(error) == ASNAP_ERROR_INVALID_ARGUMENT) {
        asnap_error_destroy(error);
        error = asnap_dump_damaged(reader, "its sample stands for more than can be");
    }
    return error;
}

struct asnap_error *asnap_dump_read_traces(const struct asnap_dump_reader *reader,
                                           struct asnap_snapshot *snapshot)
{
    struct adding adding = {.reader = reader, .snapshot = snapshot};
    struct asnap_error *error = asnap_totals_init(&adding.totals, snapshot->store->traceback_count);
    if (error == NULL)
        error = take_traces(reader, snapshot, &adding);
    asnap_totals_deinit(&adding.totals);
    return error;
}
