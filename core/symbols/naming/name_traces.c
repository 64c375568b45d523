/* From raw traces to a snapshot: return addresses become frames. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "intern.h"
#include "raw.h"
#include "snapshot_notes.h"
#include "stack_frames.h"
#include "symbolizer.h"

#define NOT_USED ASNAP_NODE_UNUSED

struct job {
    struct asnap_raw *raw;
    struct asnap_symbolizer *symbolizer;
    struct asnap_builder *builder;
    enum asnap_naming_extent extent;
    uint32_t *node_pc;    /* of each node that a trace uses: the place of its pc */
    struct asnap_pc *pcs; /* distinct, rising */
    uint32_t *mappings;   /* of each pc: the builder's number of what is mapped there */
    size_t pc_count;      /* at most node_count, so a place fits into 32 bits */
    uint64_t *offsets;    /* of each pc, as in asnap_place */
    size_t *first_frame;  /* of each pc: the place in frame_ids; one more at the end */
    uint32_t *frame_ids;  /* of all pcs */
    const struct asnap_progress *progress; /* may be NULL */
    uint32_t frames_cut;                   /* that tracebacks had to be cut to; 0: they are whole */
};

/* Whether to go on, in a loop over the inferior's data: asks in each 65536th turn. */
static struct asnap_error *ask(const struct job *job, size_t turn)
{
    const struct asnap_progress *progress = job->progress;
    if (progress == NULL || turn % 65536 != 65535 || progress->report(progress->context, "", 0, 0))
        return NULL;
    return asnap_error_interrupted("reading stacks");
}

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
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < raw->node_count; i++)
        marks[i] = NOT_USED;
    for (size_t i = 0; i < raw->trace_count && error == NULL; i++) {
        marks[raw->traces[i].traceback_id] = 0;
        error = ask(job, i);
    }
    for (size_t i = raw->node_count; i-- > 0 && error == NULL;) {
        uint32_t parent = raw->nodes[i].parent;
        if (marks[i] >= raw->frame_limit || is_origin(&raw->nodes[i]))
            marks[i] = NOT_USED;
        else if (marks[parent] > marks[i] + 1)
            marks[parent] = marks[i] + 1;
        error = ask(job, i);
    }
    return error;
}

/* A return address, and its place among those that were found, in the order of their nodes. */
struct found_pc {
    struct asnap_pc pc;
    uint32_t place;
};

static int compare_pcs(const void *left, const void *right)
{
    const struct found_pc *a = left;
    const struct found_pc *b = right;
    if (a->pc.address != b->pc.address)
        return a->pc.address < b->pc.address ? -1 : 1;
    return (a->pc.module > b->pc.module) - (a->pc.module < b->pc.module);
}

/* The distinct return addresses, while they are found. */
struct pc_list {
    struct found_pc *pcs;
    size_t count;
    size_t capacity;
    struct asnap_intern index;
    struct asnap_pc wanted;
};

static bool same_pc(const void *context, uint32_t place)
{
    const struct pc_list *list = context;
    const struct asnap_pc *pc = &list->pcs[place].pc;
    return pc->address == list->wanted.address && pc->module == list->wanted.module;
}

/* The place of a node's return address, which is added where it is new. */
static struct asnap_error *find_pc(struct pc_list *list, const struct asnap_raw_node *node,
                                   uint32_t *place)
{
    uint32_t hash = asnap_hash_end(asnap_hash_mix(node->module, node->pc));
    list->wanted = (struct asnap_pc){.address = node->pc, .module = node->module};
    *place = asnap_intern_find(&list->index, hash, same_pc, list);
    if (*place != ASNAP_NONE)
        return NULL;
    struct found_pc *pcs = asnap_grow(list->pcs, &list->capacity, list->count + 1, sizeof(*pcs));
    if (pcs == NULL)
        return asnap_error_no_memory();
    list->pcs = pcs;
    struct asnap_error *error = asnap_intern_reserve(&list->index);
    if (error != NULL)
        return error;
    *place = (uint32_t)list->count++;
    pcs[*place] = (struct found_pc){.pc = list->wanted, .place = *place};
    asnap_intern_add(&list->index, hash, *place);
    return NULL;
}

/* Puts what was found in order, and leads the nodes to it. */
static struct asnap_error *order_pcs(struct job *job, struct pc_list *list)
{
    uint32_t *ranks = asnap_intern_none(list->count);
    job->pcs = calloc(list->count + 1, sizeof(*job->pcs));
    struct asnap_error *error = NULL;
    if (ranks == NULL || job->pcs == NULL)
        error = asnap_error_no_memory();
    else if (list->count > 1)
        qsort(list->pcs, list->count, sizeof(*list->pcs), compare_pcs);
    for (size_t i = 0; i < list->count && error == NULL; i++) {
        job->pcs[i] = list->pcs[i].pc;
        ranks[list->pcs[i].place] = (uint32_t)i;
    }
    job->pc_count = list->count;
    for (size_t i = 0; i < job->raw->node_count && error == NULL; i++) {
        if (job->node_pc[i] != NOT_USED)
            job->node_pc[i] = ranks[job->node_pc[i]];
        error = ask(job, i);
    }
    free(ranks);
    return error;
}

/* Lists the distinct return addresses of the marked nodes, which are not origins. */
static struct asnap_error *collect_pcs(struct job *job)
{
    const struct asnap_raw *raw = job->raw;
    struct pc_list list = {0};
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < raw->node_count && error == NULL; i++) {
        if (job->node_pc[i] != NOT_USED)
            error = find_pc(&list, &raw->nodes[i], &job->node_pc[i]);
        if (error == NULL)
            error = ask(job, i);
    }
    if (error == NULL)
        error = order_pcs(job, &list);
    asnap_intern_deinit(&list.index);
    free(list.pcs);
    return error;
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
            struct asnap_error *error = add_address(job, i, &job->frame_ids[used]);
            if (error == NULL)
                error = asnap_builder_offset(job->builder, job->frame_ids[used], job->offsets[i]);
            if (error != NULL)
                return error;
            used++;
        }
        for (size_t k = 0; k < names[i].frame_count; k++) {
            struct asnap_error *error =
                asnap_builder_frame(job->builder, &names[i].frames[k], job->pcs[i].address,
                                    job->mappings[i], &job->frame_ids[used]);
            if (error == NULL)
                error = asnap_builder_offset(job->builder, job->frame_ids[used], job->offsets[i]);
            if (error != NULL)
                return error;
            used++;
        }
        /* Of an inlined function it is the innermost frame that calls. */
        if (names[i].allocates == NULL)
            continue;
        struct asnap_error *error = asnap_builder_allocates(
            job->builder, job->frame_ids[job->first_frame[i]], names[i].allocates);
        if (error != NULL)
            return error;
    }
    job->first_frame[job->pc_count] = used;
    return NULL;
}

/* What is mapped where return addresses are, each once. */
struct mapping_list {
    struct asnap_mapping *mappings; /* without their build IDs */
    size_t count;
    size_t capacity;
    struct asnap_intern index;
    struct asnap_mapping wanted;
};

static bool is_same_mapping(const struct asnap_mapping *left, const struct asnap_mapping *right)
{
    return left->start == right->start && left->end == right->end &&
           left->file_offset == right->file_offset && left->path == right->path;
}

static bool same_mapping(const void *context, uint32_t number)
{
    const struct mapping_list *list = context;
    return is_same_mapping(&list->mappings[number], &list->wanted);
}

/* The number of a mapping in the builder, which gets it where it is new. */
static struct asnap_error *add_mapping(struct job *job, struct mapping_list *list,
                                       const struct asnap_mapping *mapping, uint32_t *number)
{
    /* Return addresses rise, so it is mostly the last one again. */
    if (list->count > 0 && is_same_mapping(&list->mappings[list->count - 1], mapping)) {
        *number = (uint32_t)list->count - 1;
        return NULL;
    }
    uint64_t hash = asnap_hash_mix(asnap_hash_mix(mapping->start, mapping->end),
                                   (uint64_t)(uintptr_t)mapping->path);
    uint32_t end = asnap_hash_end(asnap_hash_mix(hash, mapping->file_offset));
    list->wanted = *mapping;
    *number = asnap_intern_find(&list->index, end, same_mapping, list);
    if (*number != ASNAP_NONE)
        return NULL;
    struct asnap_mapping *mappings =
        asnap_grow(list->mappings, &list->capacity, list->count + 1, sizeof(*mappings));
    if (mappings == NULL)
        return asnap_error_no_memory();
    list->mappings = mappings;
    struct asnap_error *error = asnap_intern_reserve(&list->index);
    if (error == NULL)
        error = asnap_builder_mapping(job->builder, mapping);
    if (error != NULL)
        return error;
    *number = (uint32_t)list->count;
    mappings[list->count++] = *mapping;
    asnap_intern_add(&list->index, end, *number);
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
        if (error == NULL)
            error = ask(job, i);
    }
    asnap_intern_deinit(&list.index);
    free(list.mappings);
    return error;
}

/* Looks up names, as far as it shall. */
static struct asnap_error *look_up(struct job *job, struct asnap_named_pc *names)
{
    struct asnap_error *error = asnap_symbolizer_name_pcs(
        job->symbolizer, job->raw->modules, job->pcs, job->pc_count, job->progress, names);
    if (error == NULL || job->extent != ASNAP_NAMING_UNTIL_STOPPED ||
        asnap_error_code(error) != ASNAP_ERROR_INTERRUPTED)
        return error;
    asnap_error_destroy(error);
    return asnap_symbolizer_known_pcs(job->symbolizer, job->raw->modules, job->pcs, job->pc_count,
                                      names);
}

static struct asnap_error *name_pcs(struct job *job)
{
    struct asnap_named_pc *names = calloc(job->pc_count + 1, sizeof(*names));
    job->offsets = calloc(job->pc_count + 1, sizeof(*job->offsets));
    struct asnap_error *error = NULL;
    if (names == NULL || job->offsets == NULL)
        error = asnap_error_no_memory();
    if (error == NULL && job->extent != ASNAP_NAMING_NOTHING)
        error = look_up(job, names);
    if (error == NULL && job->extent != ASNAP_NAMING_NOTHING)
        error = asnap_symbolizer_offsets(job->symbolizer, job->raw->modules, NULL, job->pcs,
                                         job->pc_count, job->offsets);
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
    if (error == NULL)
        error = asnap_builder_sample_period(job->builder, raw->sample_period);
    return error != NULL ? error : asnap_builder_start_time(job->builder, raw->start_realtime);
}

/* Leads each trace to its traceback, and hands all over. */
static struct asnap_error *add_traces(struct job *job)
{
    struct asnap_raw *raw = job->raw;
    const struct asnap_stack_frames stacks = {
        .raw = raw,
        .builder = job->builder,
        .progress = job->progress,
        .node_pc = job->node_pc,
        .first_frame = job->first_frame,
        .frame_ids = job->frame_ids,
    };
    struct asnap_error *error = asnap_stack_frames_convert(&stacks, &job->frames_cut);
    if (error == NULL)
        error = asnap_builder_take_traces(job->builder, raw->traces, raw->trace_count);
    if (error == NULL)
        raw->traces = NULL;
    return error;
}

static struct asnap_error *name_domains(struct job *job)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < job->raw->domain_count && error == NULL; i++)
        error = asnap_builder_domain_name(job->builder, job->raw->domains[i].domain,
                                          job->raw->domains[i].name);
    return error;
}

static struct asnap_error *build(struct job *job)
{
    struct asnap_error *error = mark_used(job);
    if (error == NULL)
        error = collect_pcs(job);
    if (error == NULL)
        error = name_pcs(job);
    if (error == NULL)
        error = add_origins(job);
    if (error == NULL)
        error = add_traces(job);
    if (error == NULL)
        error = name_domains(job);
    if (error == NULL)
        error = asnap_snapshot_notes_add(job->builder, job->raw, job->symbolizer, job->frames_cut);
    return error;
}

static struct asnap_error *finish(struct job *job, struct asnap_snapshot **snapshot)
{
    struct asnap_snapshot *made;
    struct asnap_error *error = asnap_builder_finish(job->builder, job->raw->frame_limit, &made);
    if (error != NULL)
        return error;
    if (job->raw->counts != NULL)
        error = asnap_snapshot_recount(made, job->raw->counts);
    if (error != NULL)
        asnap_snapshot_destroy(made);
    else
        *snapshot = made;
    return error;
}

struct asnap_error *asnap_snapshot_create(struct asnap_raw *raw,
                                          struct asnap_symbolizer *symbolizer,
                                          enum asnap_naming_extent extent,
                                          const struct asnap_progress *progress,
                                          struct asnap_snapshot **snapshot)
{
    struct job job = {.raw = raw, .symbolizer = symbolizer, .extent = extent, .progress = progress};
    struct asnap_error *error = asnap_builder_create(&job.builder);
    if (error == NULL)
        error = build(&job);
    if (error == NULL)
        error = finish(&job, snapshot);
    free(job.node_pc);
    free(job.pcs);
    free(job.mappings);
    free(job.offsets);
    free(job.first_frame);
    free(job.frame_ids);
    asnap_builder_destroy(job.builder);
    free(raw->traces);
    raw->traces = NULL;
    raw->trace_count = 0;
    return error;
}
