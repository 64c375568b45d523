/* From tracemalloc's tables to a snapshot. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "intern.h"
#include "py_names.h"
#include "py_traces.h"

struct job {
    struct asnap_py_memory py;
    const struct asnap_cpython *cpython;
    struct asnap_builder *builder;
    struct asnap_py_traces traces;
    struct asnap_py_stacks stacks;
    char **names;
    struct asnap_py_names_found found;
};

static struct asnap_error *read_tables(struct job *job)
{
    struct asnap_py_str_layout layout =
        asnap_py_str_layout(job->cpython->version, job->cpython->free_threaded);
    struct asnap_error *error = asnap_py_traces_read(&job->py, job->cpython, &job->traces);
    if (error == NULL)
        error = asnap_py_stacks_read(&job->py, job->cpython, job->traces.tracebacks,
                                     job->traces.traceback_count, &job->stacks);
    if (error != NULL)
        return error;
    job->names = calloc(job->stacks.name_count + 1, sizeof(*job->names));
    if (job->names == NULL)
        return asnap_error_no_memory();
    return asnap_py_names_read(&job->py, &layout, job->stacks.names, job->stacks.name_count,
                               job->names, &job->found);
}

/* Adds the frames of one traceback. */
static struct asnap_error *add_stack(struct job *job, const struct asnap_py_stack *stack,
                                     uint32_t *ids, uint32_t *traceback)
{
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; i < stack->count && error == NULL; i++) {
        const struct asnap_py_frame *place = &job->stacks.frames[stack->first + i];
        struct asnap_frame frame = {.filename = job->names[place->name], .lineno = place->line};
        error = asnap_builder_frame(job->builder, &frame, 0, ASNAP_NO_MAPPING, &ids[i]);
    }
    if (error != NULL || stack->count != 0)
        return error != NULL ? error
                             : asnap_builder_traceback(job->builder, ids, stack->count,
                                                       stack->total, traceback);
    struct asnap_frame unreadable = {.filename = "<unreadable>"};
    error = asnap_builder_frame(job->builder, &unreadable, 0, ASNAP_NO_MAPPING, ids);
    return error != NULL
               ? error
               : asnap_builder_traceback(job->builder, ids, 1, ASNAP_TOTAL_UNKNOWN, traceback);
}

static struct asnap_error *add_stacks(struct job *job, uint32_t *numbers)
{
    size_t most = 1;
    for (size_t i = 0; i < job->traces.traceback_count; i++) {
        if (job->stacks.stacks[i].count > most)
            most = job->stacks.stacks[i].count;
    }
    uint32_t *ids = calloc(most, sizeof(*ids));
    struct asnap_error *error = ids == NULL ? asnap_error_no_memory() : NULL;
    for (size_t i = 0; i < job->traces.traceback_count && error == NULL; i++) {
        error = add_stack(job, &job->stacks.stacks[i], ids, &numbers[i]);
        if (error == NULL && i % 65536 == 65535)
            error = asnap_py_ask(&job->py, "", 0, 0);
    }
    free(ids);
    return error;
}

static struct asnap_error *add_traces(struct job *job)
{
    struct asnap_py_traces *read = &job->traces;
    uint32_t *numbers = asnap_intern_none(read->traceback_count);
    struct asnap_error *error = numbers == NULL ? asnap_error_no_memory() : NULL;
    if (error == NULL)
        error = add_stacks(job, numbers);
    bool is_same = true;
    for (size_t i = 0; i < read->traceback_count && error == NULL; i++)
        is_same = is_same && numbers[i] == i;
    for (size_t i = 0; i < read->count && error == NULL && !is_same; i++)
        read->traces[i].traceback_id = numbers[read->traces[i].traceback_id];
    free(numbers);
    if (error == NULL && read->count != 0)
        error = asnap_builder_take_traces(job->builder, read->traces, read->count);
    if (error == NULL && read->count != 0)
        read->traces = NULL;
    return error;
}

static struct asnap_error *add_note(struct job *job, uint64_t count, const char *one,
                                    const char *several)
{
    char line[256];
    if (count == 0)
        return NULL;
    if (count == 1)
        return asnap_builder_note(job->builder, one);
    snprintf(line, sizeof(line), "%" PRIu64 " %s", count, several);
    return asnap_builder_note(job->builder, line);
}

/* Where the tables do not hold what they say. */
static struct asnap_error *add_difference(struct job *job)
{
    char line[256];
    const struct asnap_py_traces *read = &job->traces;
    uint64_t there = read->walk.visited - read->repeated;
    if (job->cpython->locked)
        return asnap_builder_note(job->builder,
                                  "a thread was changing tracemalloc's tables (it holds their "
                                  "lock): the block in flight may be missing, or here although it "
                                  "was freed");
    if (there != read->entry_count) {
        snprintf(line, sizeof(line),
                 "tracemalloc says that it has %" PRIu64 " traces, and %" PRIu64
                 " are found: a thread was changing its tables, or the program has overwritten "
                 "them",
                 read->entry_count, there);
        return asnap_builder_note(job->builder, line);
    }
    if (read->walk.misplaced != 0 || read->walk.is_endless)
        return asnap_builder_note(
            job->builder, "lists of tracemalloc's tables lead into each other: a thread was "
                          "resizing them, or the program has overwritten them, and traces "
                          "may be missing here");
    uint64_t traced = job->cpython->traced_size;
    if (traced == ASNAP_CPYTHON_UNKNOWN || traced == job->traces.size || read->unreadable != 0 ||
        read->bad_sizes != 0 || read->bad_tables != 0)
        return NULL;
    snprintf(line, sizeof(line),
             "tracemalloc says that it traces %" PRIu64 " bytes, and its traces sum to %" PRIu64
             ": a thread was changing its tables, or the program has overwritten them",
             traced, job->traces.size);
    return asnap_builder_note(job->builder, line);
}

static struct asnap_error *add_notes(struct job *job, const char *const *notes, size_t count)
{
    const struct asnap_py_traces *read = &job->traces;
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < count && error == NULL; i++)
        error = asnap_builder_note(job->builder, notes[i]);
    if (error == NULL)
        error = add_difference(job);
    if (error == NULL)
        error = add_note(job, read->walk.unreadable + read->unreadable,
                         "1 trace could not be read (a truncated core?): it is missing here",
                         "traces could not be read (a truncated core?): they are missing here");
    if (error == NULL)
        error =
            add_note(job, read->bad_sizes,
                     "1 trace of an impossible size is left out: the program has overwritten it",
                     "traces of impossible sizes are left out: the program has overwritten "
                     "them");
    if (error == NULL)
        error = add_note(job, read->bad_tables,
                         "1 table of a domain is not what it must be: its traces are missing here",
                         "tables of domains are not what they must be: their traces are missing "
                         "here");
    if (error == NULL)
        error = add_note(job, job->stacks.unreadable,
                         "1 traceback could not be read: its blocks are at <unreadable>",
                         "tracebacks could not be read: their blocks are at <unreadable>");
    if (error == NULL)
        error = add_note(job, job->found.unreadable, "1 file name could not be read",
                         "file names could not be read");
    if (error == NULL)
        error = add_note(job, job->found.escaped,
                         "1 file name has characters that no file can have in its name: they are "
                         "written \\x.. and \\u.... here",
                         "file names have characters that no file can have in its name: they are "
                         "written \\x.. and \\u.... here");
    return error;
}

static void deinit(struct job *job)
{
    for (size_t i = 0; job->names != NULL && i < job->stacks.name_count; i++)
        free(job->names[i]);
    free(job->names);
    asnap_py_stacks_deinit(&job->stacks);
    asnap_py_traces_deinit(&job->traces);
    asnap_builder_destroy(job->builder);
}

struct asnap_error *asnap_cpython_snapshot(const struct asnap_memory *memory,
                                           const struct asnap_cpython *cpython,
                                           const struct asnap_region *regions, size_t region_count,
                                           const char *const *notes, size_t note_count,
                                           const struct asnap_progress *progress,
                                           struct asnap_snapshot **snapshot)
{
    if (memory == NULL || cpython == NULL || (regions == NULL && region_count != 0))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "no memory or no interpreter is given");
    struct job job = {
        .py = asnap_py_memory_of(memory, regions, region_count, progress),
        .cpython = cpython,
    };
    struct asnap_error *error = asnap_builder_create(&job.builder);
    if (error == NULL)
        error = read_tables(&job);
    if (error == NULL)
        error = add_traces(&job);
    if (error == NULL)
        error = add_notes(&job, notes, note_count);
    if (error == NULL)
        error = asnap_builder_finish(job.builder, cpython->frame_limit, snapshot);
    deinit(&job);
    return error;
}
