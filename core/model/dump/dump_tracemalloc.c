/* Dumps for the standard library: a pickled tracemalloc.Snapshot, whose traces are
 * tuples (domain, size, ((filename, lineno), ...) most recent first, total_nframe). The
 * last is None where it is not known: tracemalloc's statistics want four of them. */
#include <stdlib.h>

#include "pickle_writer.h"
#include "snapshot.h"

/* As many as CPython's own pickler appends to a list at once. */
#define AT_ONCE ((size_t)1000)

struct pickling {
    struct asnap_pickle pickle;
    const struct asnap_store *store;
    /* What was kept of each, by its number; ASNAP_NONE: not written yet. */
    uint32_t *files;
    uint32_t *locations;
    uint32_t *tracebacks;
};

static void opcode(struct pickling *pickling, enum asnap_pickle_opcode which)
{
    asnap_pickle_opcode(&pickling->pickle, which);
}

/* Writes what was kept; false where it was not. */
static bool again(struct pickling *pickling, uint32_t kept)
{
    if (kept == ASNAP_NONE)
        return false;
    asnap_pickle_kept(&pickling->pickle, kept);
    return true;
}

/* Frames are the same for tracemalloc where file and line are. */
static void write_frame(struct pickling *pickling, uint32_t number)
{
    const struct asnap_location *location = &pickling->store->locations[number];
    if (again(pickling, pickling->locations[number]))
        return;
    if (!again(pickling, pickling->files[location->file])) {
        asnap_pickle_string(&pickling->pickle,
                            asnap_names_get(&pickling->store->files, location->file));
        pickling->files[location->file] = asnap_pickle_keep(&pickling->pickle);
    }
    asnap_pickle_number(&pickling->pickle, location->lineno);
    opcode(pickling, ASNAP_PICKLE_TUPLE2);
    pickling->locations[number] = asnap_pickle_keep(&pickling->pickle);
}

static void write_traceback(struct pickling *pickling, uint32_t number)
{
    const struct asnap_store *store = pickling->store;
    const uint32_t *frame_ids = asnap_store_frame_ids(store, number);
    if (again(pickling, pickling->tracebacks[number]))
        return;
    opcode(pickling, ASNAP_PICKLE_MARK);
    for (uint32_t i = 0; i < store->tracebacks[number].frame_count; i++)
        write_frame(pickling, store->frames[frame_ids[i]].location);
    opcode(pickling, ASNAP_PICKLE_TUPLE);
    pickling->tracebacks[number] = asnap_pickle_keep(&pickling->pickle);
}

static void write_total(struct pickling *pickling, uint32_t total_nframe)
{
    if (total_nframe == ASNAP_TOTAL_UNKNOWN)
        opcode(pickling, ASNAP_PICKLE_NONE);
    else
        asnap_pickle_number(&pickling->pickle, total_nframe);
}

/* A list of all traces. */
static void write_traces(struct pickling *pickling, const struct asnap_trace *traces, size_t count)
{
    opcode(pickling, ASNAP_PICKLE_EMPTY_LIST);
    for (size_t i = 0; i < count && pickling->pickle.writer.error == NULL; i++) {
        if (i % AT_ONCE == 0)
            opcode(pickling, ASNAP_PICKLE_MARK);
        opcode(pickling, ASNAP_PICKLE_MARK);
        asnap_pickle_number(&pickling->pickle, traces[i].domain);
        asnap_pickle_number(&pickling->pickle, traces[i].size);
        write_traceback(pickling, traces[i].traceback_id);
        write_total(pickling, pickling->store->tracebacks[traces[i].traceback_id].total_nframe);
        opcode(pickling, ASNAP_PICKLE_TUPLE);
        if (i % AT_ONCE == AT_ONCE - 1 || i == count - 1)
            opcode(pickling, ASNAP_PICKLE_APPENDS);
    }
}

/* Begins an object of a class of tracemalloc, whose attributes follow. */
static void begin_object(struct pickling *pickling, const char *name)
{
    asnap_pickle_class(&pickling->pickle, "tracemalloc", name);
    opcode(pickling, ASNAP_PICKLE_EMPTY_TUPLE);
    opcode(pickling, ASNAP_PICKLE_NEWOBJ);
    opcode(pickling, ASNAP_PICKLE_EMPTY_DICT);
    opcode(pickling, ASNAP_PICKLE_MARK);
}

static void end_object(struct pickling *pickling)
{
    opcode(pickling, ASNAP_PICKLE_SETITEMS);
    opcode(pickling, ASNAP_PICKLE_BUILD);
}

static struct asnap_error *write_snapshot(struct pickling *pickling,
                                          const struct asnap_snapshot *snapshot,
                                          const struct asnap_trace *traces,
                                          const struct asnap_store *attributes)
{
    struct asnap_pickle *pickle = &pickling->pickle;
    asnap_pickle_start(pickle);
    begin_object(pickling, "Snapshot");
    /* First: no attribute takes the place of what is tracemalloc's own. */
    for (size_t i = 0; i < attributes->attribute_count; i++) {
        asnap_pickle_string(pickle, attributes->attributes[i].name);
        asnap_pickle_string(pickle, attributes->attributes[i].value);
    }
    asnap_pickle_string(pickle, "traceback_limit");
    asnap_pickle_number(pickle, snapshot->traceback_limit);
    asnap_pickle_string(pickle, "traces");
    begin_object(pickling, "_Traces");
    asnap_pickle_string(pickle, "_traces");
    write_traces(pickling, traces, snapshot->count);
    end_object(pickling);
    end_object(pickling);
    opcode(pickling, ASNAP_PICKLE_STOP);
    return asnap_pickle_end(pickle);
}

static struct asnap_error *dump(struct pickling *pickling, const struct asnap_snapshot *snapshot,
                                const char *path, const struct asnap_store *attributes)
{
    const struct asnap_store *store = snapshot->store;
    const struct asnap_trace *traces;
    struct asnap_atomic_file file;
    pickling->store = store;
    pickling->files = asnap_intern_none(store->files.count);
    pickling->locations = asnap_intern_none(store->location_count);
    pickling->tracebacks = asnap_intern_none(store->traceback_count);
    if (pickling->files == NULL || pickling->locations == NULL || pickling->tracebacks == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_snapshot_traces(snapshot, &traces);
    if (error == NULL)
        error = asnap_atomic_file_open(&file, path);
    if (error != NULL)
        return error;
    pickling->pickle.writer.file = &file;
    error = write_snapshot(pickling, snapshot, traces, attributes);
    return asnap_atomic_file_close(&file, error);
}

struct asnap_error *asnap_snapshot_dump_tracemalloc(const struct asnap_snapshot *snapshot,
                                                    const char *path,
                                                    const struct asnap_attribute *attributes,
                                                    size_t attribute_count)
{
    if (snapshot->store->sample_period != 0)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "a sample cannot be written for tracemalloc, which has no place "
                                  "for what its blocks stand for: use the format allocsnap");
    struct asnap_store *given = NULL;
    struct pickling *pickling = calloc(1, sizeof(*pickling));
    struct asnap_error *error = pickling == NULL ? asnap_error_no_memory() : NULL;
    if (error == NULL && attributes != NULL)
        error = asnap_attributes_create(attributes, attribute_count, &given);
    if (error == NULL)
        error = dump(pickling, snapshot, path, given != NULL ? given : snapshot->store);
    asnap_store_release(given);
    if (pickling != NULL) {
        free(pickling->files);
        free(pickling->locations);
        free(pickling->tracebacks);
    }
    free(pickling);
    return error;
}
