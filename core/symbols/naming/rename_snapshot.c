/* Better names for the frames of a snapshot that was taken before. */
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "symbolizer.h"

#define TOTAL_NFRAME_MAX UINT32_C(65535)

/* How good the name of a frame without a line is. */
enum quality {
    NO_NAME,
    CALL,  /* where the call is in the module */
    START, /* where its function begins */
    FUNCTION,
};

/* `offset` is that of the call. */
static enum quality quality_of(const struct asnap_frame *frame, uint64_t offset)
{
    if (frame->function == NULL || frame->named_by == ASNAP_NAMED_ADDRESS)
        return NO_NAME;
    if (frame->named_by != ASNAP_NAMED_NONE)
        return FUNCTION;
    const char *plus = strrchr(frame->function, '+');
    return plus == NULL || strtoull(plus + 1, NULL, 16) == offset ? CALL : START;
}

/* A return address without a line. Its `module` is the number of its mapping. */
struct poor_pc {
    struct asnap_pc pc;
    enum quality quality;
};

struct job {
    const struct asnap_snapshot *snapshot;
    struct asnap_symbolizer *symbolizer;
    struct asnap_builder *builder;
    struct asnap_mapping *mappings;
    bool *is_looked_at;   /* of each mapping */
    struct poor_pc *poor; /* rising */
    size_t poor_count;
    struct asnap_pc *pcs; /* of the poor ones */
    struct asnap_named_pc *names;
    uint64_t *offsets;    /* as in asnap_place */
    uint32_t *first_new;  /* of each poor pc: the place of its frames in new_frames; one more at
                             the end */
    uint32_t *new_frames; /* numbers in the builder */
    uint32_t *old_frames; /* by frame of the snapshot: its number in the builder, or ASNAP_NONE */
    uint32_t *tracebacks; /* by traceback, likewise */
    uint32_t *stack;      /* the traceback being made */
};

static int compare_poor(const void *left, const void *right)
{
    const struct poor_pc *a = left;
    const struct poor_pc *b = right;
    if (a->pc.address != b->pc.address)
        return a->pc.address < b->pc.address ? -1 : 1;
    return (a->pc.module > b->pc.module) - (a->pc.module < b->pc.module);
}

/* Copies what was mapped; the strings stay the snapshot's. */
static struct asnap_error *list_mappings(struct job *job)
{
    size_t count = asnap_snapshot_mapping_count(job->snapshot);
    job->mappings = calloc(count + 1, sizeof(*job->mappings));
    job->is_looked_at = calloc(count + 1, sizeof(*job->is_looked_at));
    if (job->mappings == NULL || job->is_looked_at == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count; i++)
        job->mappings[i] = asnap_snapshot_mapping(job->snapshot, i);
    return NULL;
}

/* Whether a file can tell more of a frame. The vDSO is in none. */
static bool is_poor(const struct job *job, uint32_t frame_id, const struct asnap_frame *frame,
                    struct asnap_pc *pc)
{
    pc->address = asnap_snapshot_frame_address(job->snapshot, frame_id);
    pc->module = asnap_snapshot_frame_mapping(job->snapshot, frame_id);
    if (frame->lineno != 0 || pc->address == 0 || pc->module == ASNAP_NONE)
        return false;
    struct asnap_mapping mapping = asnap_snapshot_mapping(job->snapshot, pc->module);
    return mapping.path[0] == '/' && pc->address > mapping.start && pc->address <= mapping.end;
}

static struct asnap_error *list_poor(struct job *job)
{
    size_t frame_count = asnap_snapshot_frame_count(job->snapshot);
    job->poor = calloc(frame_count + 1, sizeof(*job->poor));
    if (job->poor == NULL)
        return asnap_error_no_memory();
    size_t count = 0;
    for (uint32_t i = 0; i < frame_count; i++) {
        struct asnap_frame frame = asnap_snapshot_frame(job->snapshot, i);
        struct poor_pc *poor = &job->poor[count];
        if (!is_poor(job, i, &frame, &poor->pc))
            continue;
        poor->quality = quality_of(&frame, asnap_snapshot_place(job->snapshot, i).offset);
        job->is_looked_at[poor->pc.module] = true;
        count++;
    }
    qsort(job->poor, count, sizeof(*job->poor), compare_poor);
    for (size_t i = 0; i < count; i++) {
        struct poor_pc *last = &job->poor[job->poor_count - (job->poor_count > 0)];
        if (job->poor_count == 0 || compare_poor(last, &job->poor[i]) != 0)
            job->poor[job->poor_count++] = job->poor[i];
        else if (last->quality < job->poor[i].quality)
            last->quality = job->poor[i].quality;
    }
    return NULL;
}

static bool is_better(const struct job *job, size_t place)
{
    const struct asnap_frame *innermost = &job->names[place].frames[0];
    return innermost->lineno != 0 ||
           quality_of(innermost, job->offsets[place]) > job->poor[place].quality;
}

static struct asnap_error *look_up(struct job *job, const struct asnap_progress *progress)
{
    job->pcs = calloc(job->poor_count + 1, sizeof(*job->pcs));
    job->names = calloc(job->poor_count + 1, sizeof(*job->names));
    job->offsets = calloc(job->poor_count + 1, sizeof(*job->offsets));
    if (job->pcs == NULL || job->names == NULL || job->offsets == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < job->poor_count; i++)
        job->pcs[i] = job->poor[i].pc;
    struct asnap_error *error = asnap_symbolizer_name_recorded(
        job->symbolizer, job->mappings, job->pcs, job->poor_count, progress, job->names);
    if (error == NULL)
        error = asnap_symbolizer_offsets(job->symbolizer, NULL, job->mappings, job->pcs,
                                         job->poor_count, job->offsets);
    return error;
}

/* Adds what was mapped, and the frames of those addresses that have better ones now. */
static struct asnap_error *add_new_frames(struct job *job)
{
    struct asnap_error *error = NULL;
    size_t count = 0;
    for (size_t i = 0; i < job->poor_count; i++)
        count += job->names[i].frame_count;
    job->first_new = calloc(job->poor_count + 1, sizeof(*job->first_new));
    job->new_frames = calloc(count + 1, sizeof(*job->new_frames));
    if (job->first_new == NULL || job->new_frames == NULL)
        return asnap_error_no_memory();
    size_t mapping_count = asnap_snapshot_mapping_count(job->snapshot);
    for (size_t i = 0; i < mapping_count && error == NULL; i++)
        error = asnap_builder_mapping(job->builder, &job->mappings[i]);
    uint32_t used = 0;
    for (size_t i = 0; i < job->poor_count; i++) {
        const struct asnap_named_pc *named = &job->names[i];
        job->first_new[i] = used;
        for (size_t k = 0; is_better(job, i) && k < named->frame_count; k++) {
            if (error == NULL)
                error = asnap_builder_frame(job->builder, &named->frames[k], job->pcs[i].address,
                                            job->pcs[i].module, &job->new_frames[used]);
            if (error == NULL)
                error =
                    asnap_builder_offset(job->builder, job->new_frames[used++], job->offsets[i]);
        }
    }
    job->first_new[job->poor_count] = used;
    return error;
}

/* The place of a frame's address among the poor ones that have better frames now, or
 * ASNAP_NONE. */
static uint32_t find_better(const struct job *job, uint32_t frame_id)
{
    struct poor_pc wanted = {.pc = {
                                 .address = asnap_snapshot_frame_address(job->snapshot, frame_id),
                                 .module = asnap_snapshot_frame_mapping(job->snapshot, frame_id),
                             }};
    const struct poor_pc *found =
        bsearch(&wanted, job->poor, job->poor_count, sizeof(wanted), compare_poor);
    if (found == NULL)
        return ASNAP_NONE;
    size_t place = (size_t)(found - job->poor);
    return job->first_new[place] == job->first_new[place + 1] ? ASNAP_NONE : (uint32_t)place;
}

/* Adds a frame as it is, once. */
static struct asnap_error *add_old_frame(struct job *job, uint32_t frame_id, uint32_t *added)
{
    struct asnap_error *error = NULL;
    if (job->old_frames[frame_id] == ASNAP_NONE) {
        struct asnap_frame frame = asnap_snapshot_frame(job->snapshot, frame_id);
        error = asnap_builder_frame(
            job->builder, &frame, asnap_snapshot_frame_address(job->snapshot, frame_id),
            asnap_snapshot_frame_mapping(job->snapshot, frame_id), &job->old_frames[frame_id]);
        if (error == NULL)
            error = asnap_builder_offset(job->builder, job->old_frames[frame_id],
                                         asnap_snapshot_place(job->snapshot, frame_id).offset);
    }
    *added = job->old_frames[frame_id];
    return error;
}

/* Where the frames end that stand for the same address as that at `first`: the outermost
 * is the one that is not inlined. */
static size_t end_of_group(const struct job *job, const uint32_t *frame_ids, size_t first,
                           size_t count)
{
    size_t at = first;
    while (at + 1 < count && asnap_snapshot_frame(job->snapshot, frame_ids[at]).inlined &&
           asnap_snapshot_frame_address(job->snapshot, frame_ids[at + 1]) ==
               asnap_snapshot_frame_address(job->snapshot, frame_ids[first]))
        at++;
    return at + 1;
}

/* Makes a traceback anew. */
static struct asnap_error *convert(struct job *job, uint32_t traceback_id)
{
    const struct asnap_traceback *old = &asnap_snapshot_tracebacks(job->snapshot)[traceback_id];
    const uint32_t *frame_ids = asnap_snapshot_frame_ids(job->snapshot) + old->first;
    uint32_t kept = 0;
    uint32_t total = old->total_nframe - old->frame_count;
    struct asnap_error *error = NULL;
    for (size_t first = 0, end; first < old->frame_count && error == NULL; first = end) {
        uint32_t better = find_better(job, frame_ids[first]);
        end = better == ASNAP_NONE ? first + 1
                                   : end_of_group(job, frame_ids, first, old->frame_count);
        uint32_t added = 0;
        if (better == ASNAP_NONE)
            error = add_old_frame(job, frame_ids[first], &added);
        const uint32_t *frames =
            better == ASNAP_NONE ? &added : &job->new_frames[job->first_new[better]];
        uint32_t count =
            better == ASNAP_NONE ? 1 : job->first_new[better + 1] - job->first_new[better];
        total += count;
        if (count > TOTAL_NFRAME_MAX - kept)
            count = TOTAL_NFRAME_MAX - kept;
        memcpy(job->stack + kept, frames, count * sizeof(*frames));
        kept += count;
    }
    if (error != NULL)
        return error;
    if (old->total_nframe == ASNAP_TOTAL_UNKNOWN)
        total = ASNAP_TOTAL_UNKNOWN;
    else if (total > TOTAL_NFRAME_MAX)
        total = TOTAL_NFRAME_MAX;
    return asnap_builder_traceback(job->builder, job->stack, kept, total,
                                   &job->tracebacks[traceback_id]);
}

/* Adds the threads, and the traces with their tracebacks. */
static struct asnap_error *add_traces(struct job *job)
{
    size_t count = asnap_snapshot_count(job->snapshot);
    const struct asnap_trace *traces;
    struct asnap_error *error = asnap_snapshot_traces(job->snapshot, &traces);
    if (error != NULL)
        return error;
    struct asnap_trace *copy = calloc(count + 1, sizeof(*copy));
    if (copy == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count && error == NULL; i++) {
        uint32_t traceback_id = traces[i].traceback_id;
        if (job->tracebacks[traceback_id] == ASNAP_NONE)
            error = convert(job, traceback_id);
        copy[i] = traces[i];
        copy[i].traceback_id = job->tracebacks[traceback_id];
    }
    if (error == NULL)
        error = asnap_builder_take_traces(job->builder, copy, count);
    if (error != NULL)
        free(copy);
    return error;
}

static struct asnap_error *add_threads(struct job *job)
{
    size_t count = asnap_snapshot_thread_count(job->snapshot);
    uint32_t *threads = calloc(count + 1, sizeof(*threads));
    if (threads == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < count; i++)
        threads[i] = asnap_snapshot_thread(job->snapshot, i);
    struct asnap_error *error = asnap_builder_threads(job->builder, threads, count);
    free(threads);
    if (error == NULL)
        error = asnap_builder_start_time(job->builder, asnap_snapshot_start_time(job->snapshot));
    if (error == NULL)
        error =
            asnap_builder_sample_period(job->builder, asnap_snapshot_sample_period(job->snapshot));
    return error;
}

/* Whether a note is on a file that was looked at again. */
static bool is_outdated(const struct job *job, const char *note)
{
    size_t count = asnap_snapshot_mapping_count(job->snapshot);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(job->mappings[i].path);
        if (job->is_looked_at[i] && strncmp(note, job->mappings[i].path, length) == 0 &&
            note[length] == ':')
            return true;
    }
    return false;
}

static struct asnap_error *add_notes(struct job *job)
{
    struct asnap_error *error = NULL;
    size_t count = asnap_snapshot_note_count(job->snapshot);
    for (size_t i = 0; i < count && error == NULL; i++) {
        const char *note = asnap_snapshot_note(job->snapshot, i);
        if (!is_outdated(job, note))
            error = asnap_builder_note(job->builder, note);
    }
    count = asnap_symbolizer_note_count(job->symbolizer);
    for (size_t i = 0; i < count && error == NULL; i++)
        error = asnap_builder_note(job->builder, asnap_symbolizer_note(job->symbolizer, i));
    return error;
}

/* Copies what names of frames do not change. */
static struct asnap_error *add_lists(struct job *job)
{
    struct asnap_error *error = add_notes(job);
    size_t count = asnap_snapshot_domain_count(job->snapshot);
    for (size_t i = 0; i < count && error == NULL; i++) {
        uint32_t domain = asnap_snapshot_domain(job->snapshot, i);
        error = asnap_builder_domain_name(job->builder, domain,
                                          asnap_snapshot_domain_name(job->snapshot, domain));
    }
    count = asnap_snapshot_attribute_count(job->snapshot);
    for (size_t i = 0; i < count && error == NULL; i++) {
        struct asnap_attribute attribute = asnap_snapshot_attribute(job->snapshot, i);
        error = asnap_builder_attribute(job->builder, attribute.name, attribute.value);
    }
    return error;
}

static struct asnap_error *build(struct job *job, const struct asnap_progress *progress)
{
    struct asnap_error *error = list_mappings(job);
    if (error == NULL)
        error = list_poor(job);
    if (error == NULL)
        error = look_up(job, progress);
    if (error == NULL)
        error = add_new_frames(job);
    job->old_frames = asnap_intern_none(asnap_snapshot_frame_count(job->snapshot));
    job->tracebacks = asnap_intern_none(asnap_snapshot_traceback_count(job->snapshot));
    job->stack = calloc(TOTAL_NFRAME_MAX, sizeof(*job->stack));
    if (error == NULL && (job->old_frames == NULL || job->tracebacks == NULL || job->stack == NULL))
        error = asnap_error_no_memory();
    if (error == NULL)
        error = add_threads(job);
    if (error == NULL)
        error = add_traces(job);
    return error != NULL ? error : add_lists(job);
}

struct asnap_error *asnap_snapshot_symbolize(const struct asnap_snapshot *snapshot,
                                             struct asnap_symbolizer *symbolizer,
                                             const struct asnap_progress *progress,
                                             struct asnap_snapshot **named)
{
    struct job job = {.snapshot = snapshot, .symbolizer = symbolizer};
    struct asnap_error *error = asnap_builder_create(&job.builder);
    if (error == NULL)
        error = build(&job, progress);
    if (error == NULL)
        error = asnap_builder_finish(job.builder, asnap_snapshot_traceback_limit(snapshot), named);
    asnap_builder_destroy(job.builder);
    free(job.mappings);
    free(job.is_looked_at);
    free(job.poor);
    free(job.pcs);
    free(job.names);
    free(job.offsets);
    free(job.first_new);
    free(job.new_frames);
    free(job.old_frames);
    free(job.tracebacks);
    free(job.stack);
    return error;
}
