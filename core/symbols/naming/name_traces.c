/* From raw traces to a snapshot: return addresses become frames. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "raw.h"
#include "symbolizer.h"

#define TOTAL_NFRAME_MAX UINT32_C(65535)
#define NOT_CONVERTED UINT32_MAX
#define NOT_USED UINT32_MAX

struct job {
    struct asnap_raw *raw;
    struct asnap_symbolizer *symbolizer;
    struct asnap_builder *builder;
    enum asnap_naming_extent extent;
    uint32_t *node_pc;    /* of each node that a trace uses: the place of its pc */
    struct asnap_pc *pcs; /* distinct, rising */
    uint32_t *mappings;   /* of each pc: the builder's number of what is mapped there */
    size_t pc_count;      /* at most node_count, so a place fits into 32 bits */
    size_t *first_frame;  /* of each pc: the place in frame_ids; one more at the end */
    uint32_t *frame_ids;  /* of all pcs */
    uint32_t *traceback;  /* of each node that is the leaf of a trace: its id */
    uint32_t *stack;      /* the traceback being made */
};

static bool is_origin(const struct asnap_raw_node *node)
{
    return node->parent == ASNAP_RAW_NONE;
}

/* Marks the nodes of frames that tracebacks have: those that a trace leads to within the
 * frame limit. First a node's mark is how many frames are between it and the nearest such
 * trace. A parent has a smaller index than its child, so one pass downwards finds all. */
static struct asnap_error *mark_used(struct job *job)
{
    const struct asnap_raw *raw = job->raw;
    uint32_t *marks = malloc((raw->node_count + 1) * sizeof(*marks));
    job->node_pc = marks;
    if (marks == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < raw->node_count; i++)
        marks[i] = NOT_USED;
    for (size_t i = 0; i < raw->trace_count; i++)
        marks[raw->traces[i].traceback_id] = 0;
    for (size_t i = raw->node_count; i-- > 0;) {
        uint32_t parent = raw->nodes[i].parent;
        if (marks[i] >= raw->frame_limit || is_origin(&raw->nodes[i]))
            marks[i] = NOT_USED;
        else if (marks[parent] > marks[i] + 1)
            marks[parent] = marks[i] + 1;
    }
    return NULL;
}

static int compare_pcs(const void *left, const void *right)
{
    const struct asnap_pc *a = left;
    const struct asnap_pc *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return (a->module > b->module) - (a->module < b->module);
}

static struct asnap_pc pc_of(const struct asnap_raw_node *node)
{
    return (struct asnap_pc){.address = node->pc, .module = node->module};
}

static uint32_t place_of(const struct job *job, struct asnap_pc pc)
{
    size_t low = 0;
    size_t high = job->pc_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (compare_pcs(&job->pcs[middle], &pc) <= 0)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

/* Lists the distinct return addresses of the marked nodes. */
static struct asnap_error *collect_pcs(struct job *job)
{
    const struct asnap_raw *raw = job->raw;
    job->pcs = calloc(raw->node_count + 1, sizeof(*job->pcs));
    if (job->pcs == NULL)
        return asnap_error_no_memory();
    size_t count = 0;
    for (size_t i = 0; i < raw->node_count; i++) {
        if (job->node_pc[i] != NOT_USED && !is_origin(&raw->nodes[i]))
            job->pcs[count++] = pc_of(&raw->nodes[i]);
    }
    qsort(job->pcs, count, sizeof(*job->pcs), compare_pcs);
    for (size_t i = 0; i < count; i++) {
        if (job->pc_count == 0 || compare_pcs(&job->pcs[job->pc_count - 1], &job->pcs[i]) != 0)
            job->pcs[job->pc_count++] = job->pcs[i];
    }
    for (size_t i = 0; i < raw->node_count; i++) {
        if (job->node_pc[i] != NOT_USED && !is_origin(&raw->nodes[i]))
            job->node_pc[i] = place_of(job, pc_of(&raw->nodes[i]));
    }
    return NULL;
}

/* The one frame of a return address that was not named. */
static struct asnap_error *add_address(struct job *job, size_t place, uint32_t *frame_id)
{
    char build_id[ASNAP_BUILD_ID_TEXT];
    char address[2 + 16 + 1];
    struct asnap_mapping mapping;
    struct asnap_frame frame = {.filename = "<unknown>"};
    struct asnap_pc pc = job->pcs[place];
    if (asnap_symbolizer_mapping(job->symbolizer, job->raw->modules, pc, build_id, &mapping)) {
        snprintf(address, sizeof(address), "0x%" PRIx64, pc.address);
        frame = (struct asnap_frame){
            .filename = mapping.path, .function = address, .named_by = ASNAP_NAMED_ADDRESS};
    }
    return asnap_builder_frame(job->builder, &frame, pc.address, job->mappings[place], frame_id);
}

/* Interns the frames of all names. */
static struct asnap_error *add_frames(struct job *job, const struct asnap_named_pc *names)
{
    size_t count = 0;
    for (size_t i = 0; i < job->pc_count; i++)
        count += names[i].frame_count == 0 ? 1 : names[i].frame_count;
    job->first_frame = calloc(job->pc_count + 1, sizeof(*job->first_frame));
    job->frame_ids = calloc(count + 1, sizeof(*job->frame_ids));
    if (job->first_frame == NULL || job->frame_ids == NULL)
        return asnap_error_no_memory();
    size_t used = 0;
    for (size_t i = 0; i < job->pc_count; i++) {
        job->first_frame[i] = used;
        if (names[i].frame_count == 0) {
            struct asnap_error *error = add_address(job, i, &job->frame_ids[used++]);
            if (error != NULL)
                return error;
        }
        for (size_t k = 0; k < names[i].frame_count; k++) {
            struct asnap_error *error =
                asnap_builder_frame(job->builder, &names[i].frames[k], job->pcs[i].address,
                                    job->mappings[i], &job->frame_ids[used++]);
            if (error != NULL)
                return error;
        }
    }
    job->first_frame[job->pc_count] = used;
    return NULL;
}

/* What is mapped where return addresses are, each once. */
struct mapping_list {
    struct asnap_mapping *mappings; /* without their build IDs */
    size_t count;
};

/* The number of a mapping in the builder, which gets it where it is new. */
static struct asnap_error *add_mapping(struct job *job, struct mapping_list *list,
                                       const struct asnap_mapping *mapping, uint32_t *number)
{
    /* Return addresses rise, so it is mostly the last one again. */
    for (size_t i = list->count; i-- > 0;) {
        const struct asnap_mapping *other = &list->mappings[i];
        if (other->start == mapping->start && other->end == mapping->end &&
            other->file_offset == mapping->file_offset && other->path == mapping->path) {
            *number = (uint32_t)i;
            return NULL;
        }
    }
    struct asnap_mapping *mappings =
        reallocarray(list->mappings, list->count + 1, sizeof(*mappings));
    if (mappings == NULL)
        return asnap_error_no_memory();
    list->mappings = mappings;
    struct asnap_error *error = asnap_builder_mapping(job->builder, mapping);
    if (error != NULL)
        return error;
    *number = (uint32_t)list->count;
    mappings[list->count++] = *mapping;
    return NULL;
}

/* Keeps what is mapped where the return addresses are. */
static struct asnap_error *add_mappings(struct job *job)
{
    char build_id[ASNAP_BUILD_ID_TEXT];
    struct asnap_mapping mapping;
    struct mapping_list list = {0};
    struct asnap_error *error = NULL;
    job->mappings = asnap_intern_none(job->pc_count);
    if (job->mappings == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < job->pc_count; i++) {
        if (asnap_symbolizer_mapping(job->symbolizer, job->raw->modules, job->pcs[i], build_id,
                                     &mapping))
            error = add_mapping(job, &list, &mapping, &job->mappings[i]);
    }
    free(list.mappings);
    return error;
}

/* Looks up names, as far as it shall. */
static struct asnap_error *look_up(struct job *job, const struct asnap_progress *progress,
                                   struct asnap_named_pc *names)
{
    if (job->extent == ASNAP_NAMING_NOTHING)
        return NULL;
    struct asnap_error *error = asnap_symbolizer_name_pcs(job->symbolizer, job->raw->modules,
                                                          job->pcs, job->pc_count, progress, names);
    if (error == NULL || job->extent != ASNAP_NAMING_UNTIL_STOPPED ||
        asnap_error_code(error) != ASNAP_ERROR_INTERRUPTED)
        return error;
    asnap_error_destroy(error);
    return asnap_symbolizer_known_pcs(job->symbolizer, job->raw->modules, job->pcs, job->pc_count,
                                      names);
}

static struct asnap_error *name_pcs(struct job *job, const struct asnap_progress *progress)
{
    struct asnap_named_pc *names = calloc(job->pc_count + 1, sizeof(*names));
    if (names == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = look_up(job, progress, names);
    if (error == NULL)
        error = add_mappings(job);
    if (error == NULL)
        error = add_frames(job, names);
    free(names);
    return error;
}

/* Keeps which threads there are, and when time began. */
static struct asnap_error *add_origins(struct job *job)
{
    const struct asnap_raw *raw = job->raw;
    struct asnap_error *error =
        asnap_builder_threads(job->builder, raw->threads, raw->thread_count);
    return error != NULL ? error : asnap_builder_start_time(job->builder, raw->start_realtime);
}

/* The frames of a whole stack, of which `known` are above its origin. */
static uint32_t total_of(uint64_t known, const struct asnap_raw_node *origin)
{
    uint64_t total;
    if (origin->pc == ASNAP_RAW_NOT_COUNTED)
        return ASNAP_TOTAL_UNKNOWN;
    if (__builtin_add_overflow(known, origin->pc, &total) || total > TOTAL_NFRAME_MAX)
        return TOTAL_NFRAME_MAX;
    return (uint32_t)total;
}

/* Makes the traceback of a leaf: its frames within the limit, most recent first. Older
 * ones count like those that the hooks left out, so that it does not matter how many they
 * kept. */
static struct asnap_error *convert(struct job *job, uint32_t leaf)
{
    const struct asnap_raw_node *nodes = job->raw->nodes;
    uint64_t known = 0;
    size_t kept = 0;
    uint32_t depth = 0;
    uint32_t at = leaf;
    for (; !is_origin(&nodes[at]); at = nodes[at].parent, depth++) {
        if (depth >= job->raw->frame_limit) {
            known++;
            continue;
        }
        size_t first = job->first_frame[job->node_pc[at]];
        size_t count = job->first_frame[job->node_pc[at] + 1] - first;
        known += count;
        if (count > TOTAL_NFRAME_MAX - kept)
            count = TOTAL_NFRAME_MAX - kept;
        memcpy(job->stack + kept, job->frame_ids + first, count * sizeof(*job->stack));
        kept += count;
    }
    return asnap_builder_traceback(job->builder, job->stack, kept, total_of(known, &nodes[at]),
                                   &job->traceback[leaf]);
}

/* Leads each trace to its traceback, and hands all over. */
static struct asnap_error *add_traces(struct job *job)
{
    struct asnap_raw *raw = job->raw;
    for (size_t i = 0; i < raw->trace_count; i++) {
        uint32_t leaf = raw->traces[i].traceback_id;
        struct asnap_error *error = NULL;
        if (job->traceback[leaf] == NOT_CONVERTED)
            error = convert(job, leaf);
        if (error != NULL)
            return error;
        raw->traces[i].traceback_id = job->traceback[leaf];
    }
    struct asnap_error *error =
        asnap_builder_take_traces(job->builder, raw->traces, raw->trace_count);
    if (error == NULL)
        raw->traces = NULL;
    return error;
}

static struct asnap_error *convert_traces(struct job *job)
{
    size_t node_count = job->raw->node_count;
    job->traceback = malloc((node_count + 1) * sizeof(*job->traceback));
    job->stack = calloc(TOTAL_NFRAME_MAX, sizeof(*job->stack));
    if (job->traceback == NULL || job->stack == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < node_count; i++)
        job->traceback[i] = NOT_CONVERTED;
    return add_traces(job);
}

/* Adds a note about `count` things, unless there are none. `format` has one
 * PRIu64; `one` is the line for a single thing. */
static struct asnap_error *add_note(struct asnap_builder *builder, uint64_t count, const char *one,
                                    const char *many)
{
    char line[256];
    if (count == 0)
        return NULL;
    if (count == 1)
        return asnap_builder_note(builder, one);
    snprintf(line, sizeof(line), "%" PRIu64 " %s", count, many);
    return asnap_builder_note(builder, line);
}

static struct asnap_error *name_domains(struct job *job)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < job->raw->domain_count && error == NULL; i++)
        error = asnap_builder_domain_name(job->builder, job->raw->domains[i].domain,
                                          job->raw->domains[i].name);
    return error;
}

static struct asnap_error *add_notes(struct job *job)
{
    const struct asnap_raw *raw = job->raw;
    struct asnap_error *error =
        add_note(job->builder, raw->missing_bytes,
                 "1 byte of the program's memory is missing from the core file: it is truncated",
                 "bytes of the program's memory are missing from the core file: it is truncated");
    for (size_t i = 0; i < raw->note_count && error == NULL; i++)
        error = asnap_builder_note(job->builder, raw->notes[i]);
    if (error == NULL && raw->own_malloc)
        error = asnap_builder_note(
            job->builder, "the program has a malloc of its own, whose blocks are not seen and "
                          "missing here: link its allocator as a shared library, or have it call "
                          "allocsnap_track (allocsnap_hooks.h)");
    if (error == NULL)
        error = add_note(job->builder, raw->dropped,
                         "1 block was not recorded, for want of memory for its record: it is "
                         "missing here",
                         "blocks were not recorded, for want of memory for their records: they are "
                         "missing here");
    if (error == NULL)
        error = add_note(job->builder, raw->busy_shards,
                         "1 part of the table was being changed: the block in flight may be "
                         "missing, or here although it was freed",
                         "parts of the table were being changed: in each, the block in flight may "
                         "be missing, or here although it was freed");
    if (error == NULL)
        error = add_note(job->builder, raw->unreadable_bytes,
                         "1 byte of the records could not be read: the block in it is missing here",
                         "bytes of the records could not be read (a truncated core?): the blocks "
                         "in them are missing here");
    if (error == NULL)
        error = add_note(job->builder, raw->unreadable_nodes,
                         "1 entry of the stacks could not be read: tracebacks through it end "
                         "there; sizes and counts are right",
                         "entries of the stacks could not be read (a truncated core?): tracebacks "
                         "through them end there; sizes and counts are right");
    size_t count = asnap_symbolizer_note_count(job->symbolizer);
    for (size_t i = 0; i < count && error == NULL; i++)
        error = asnap_builder_note(job->builder, asnap_symbolizer_note(job->symbolizer, i));
    return error;
}

static struct asnap_error *build(struct job *job, const struct asnap_progress *progress)
{
    struct asnap_error *error = mark_used(job);
    if (error == NULL)
        error = collect_pcs(job);
    if (error == NULL)
        error = name_pcs(job, progress);
    if (error == NULL)
        error = add_origins(job);
    if (error == NULL)
        error = convert_traces(job);
    if (error == NULL)
        error = name_domains(job);
    if (error == NULL)
        error = add_notes(job);
    return error;
}

struct asnap_error *asnap_snapshot_create(struct asnap_raw *raw,
                                          struct asnap_symbolizer *symbolizer,
                                          enum asnap_naming_extent extent,
                                          const struct asnap_progress *progress,
                                          struct asnap_snapshot **snapshot)
{
    struct job job = {.raw = raw, .symbolizer = symbolizer, .extent = extent};
    struct asnap_error *error = asnap_builder_create(&job.builder);
    if (error == NULL)
        error = build(&job, progress);
    if (error == NULL)
        error = asnap_builder_finish(job.builder, raw->frame_limit, snapshot);
    free(job.node_pc);
    free(job.pcs);
    free(job.mappings);
    free(job.first_frame);
    free(job.frame_ids);
    free(job.traceback);
    free(job.stack);
    asnap_builder_destroy(job.builder);
    free(raw->traces);
    raw->traces = NULL;
    raw->trace_count = 0;
    return error;
}
