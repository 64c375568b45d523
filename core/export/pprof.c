/* pprof: sums of blocks by stack, with labels, and the addresses, mappings and names of the frames
 * (profile.proto). */
#include <stdlib.h>

#include "export_kinds.h"
#include "grow.h"
#include "locations.h"
#include "pprof_labels.h"
#include "pprof_mappings.h"
#include "pprof_writer.h"

/* Stands for older frames that were not recorded. */
static const char cut_name[] = "[beyond the frame limit]";

enum { VALUES = 2 };

/* A function: its name and file as strings. */
struct function {
    int64_t name;
    int64_t filename;
};

struct profile {
    const struct asnap_export_job *job;
    const struct asnap_snapshot *snapshot;
    struct asnap_pprof_writer writer;
    struct asnap_locations locations;
    struct asnap_pprof_labels labels;
    struct asnap_pprof_mappings mappings;
    struct function *functions;
    size_t function_capacity;
    uint32_t function_count;
    struct asnap_intern function_index;
    uint64_t *ids; /* of the locations of a sample */
    size_t id_capacity;
    bool is_cut; /* some stack is */
};

/* ---- values ---- */

static struct asnap_error *write_types(struct profile *profile)
{
    static const char *const units[VALUES] = {"count", "bytes"};
    static const char *const names[][VALUES] = {
        [ASNAP_EXPORT_LIVE] = {"inuse_objects", "inuse_space"},
        [ASNAP_EXPORT_ALLOCATED] = {"alloc_objects", "alloc_space"},
        [ASNAP_EXPORT_TEMPORARY] = {"temporary_objects", "temporary_space"},
    };
    const enum asnap_export_values what = profile->job->options->values;
    Asnap__ValueType types[VALUES];
    Asnap__ValueType *lent[VALUES];
    Asnap__Profile part = ASNAP__PROFILE__INIT;
    Asnap__ValueType period = ASNAP__VALUE_TYPE__INIT;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < VALUES; i++) {
        types[i] = (Asnap__ValueType)ASNAP__VALUE_TYPE__INIT;
        lent[i] = &types[i];
        error = asnap_pprof_text(&profile->writer, names[what][i], &types[i].type);
        if (error == NULL)
            error = asnap_pprof_text(&profile->writer, units[i], &types[i].unit);
    }
    uint64_t sample_period = asnap_snapshot_sample_period(profile->snapshot);
    if (error == NULL)
        error = asnap_pprof_text(&profile->writer, "space", &period.type);
    if (error != NULL)
        return error;
    period.unit = types[1].unit;
    part.n_sample_type = VALUES;
    part.sample_type = lent;
    part.default_sample_type = types[1].type;
    part.period_type = &period;
    /* The values are what there is, or estimates of that: readers do not multiply them. */
    part.period = sample_period == 0 ? 1 : (int64_t)sample_period;
    asnap_pprof_write(&profile->writer, &part);
    return NULL;
}

/* What is missing, as comments. */
static struct asnap_error *write_notes(struct profile *profile)
{
    const struct asnap_graph *graph = profile->job->options->graph;
    size_t of_graph = graph == NULL ? 0 : asnap_graph_note_count(graph);
    size_t count = of_graph + asnap_snapshot_note_count(profile->snapshot);
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        int64_t comment;
        Asnap__Profile part = ASNAP__PROFILE__INIT;
        error =
            asnap_pprof_text(&profile->writer,
                             i < of_graph ? asnap_graph_note(graph, i)
                                          : asnap_snapshot_note(profile->snapshot, i - of_graph),
                             &comment);
        part.n_comment = 1;
        part.comment = &comment;
        if (error == NULL)
            asnap_pprof_write(&profile->writer, &part);
    }
    return error;
}

/* ---- samples ---- */

/* The ids of a stack's locations: they are one more than their numbers, and the one that stands
 * for what was not recorded comes first. */
static struct asnap_error *list_ids(struct profile *profile,
                                    const struct asnap_traceback *traceback, size_t *count)
{
    const uint32_t *frames = asnap_snapshot_frame_ids(profile->snapshot) + traceback->first;
    uint64_t *ids = asnap_grow(profile->ids, &profile->id_capacity,
                               (size_t)traceback->frame_count + 1, sizeof(*ids));
    if (ids == NULL)
        return asnap_error_no_memory();
    profile->ids = ids;
    *count = 0;
    uint32_t taken;
    for (uint32_t i = 0; i < traceback->frame_count; i += taken) {
        uint32_t id;
        struct asnap_error *error = asnap_locations_next(&profile->locations, frames + i,
                                                         traceback->frame_count - i, &id, &taken);
        if (error != NULL)
            return error;
        ids[(*count)++] = (uint64_t)id + 2;
    }
    if (traceback->total_nframe > traceback->frame_count) {
        ids[(*count)++] = 1;
        profile->is_cut = true;
    }
    return NULL;
}

static struct asnap_error *write_sample(struct profile *profile, uint32_t traceback, uint64_t count,
                                        uint64_t size, struct asnap_pprof_label_list *labels)
{
    Asnap__Sample sample = ASNAP__SAMPLE__INIT;
    Asnap__Sample *lent = &sample;
    Asnap__Profile part = ASNAP__PROFILE__INIT;
    int64_t values[VALUES] = {(int64_t)count, (int64_t)size};
    struct asnap_error *error = list_ids(
        profile, &asnap_snapshot_tracebacks(profile->snapshot)[traceback], &sample.n_location_id);
    if (error != NULL)
        return error;
    sample.location_id = profile->ids;
    sample.n_value = VALUES;
    sample.value = values;
    sample.n_label = labels->count;
    sample.label = labels->lent;
    part.n_sample = 1;
    part.sample = &lent;
    asnap_pprof_write(&profile->writer, &part);
    return NULL;
}

static struct asnap_error *write_blocks(struct profile *profile, const struct asnap_block_sum *sum)
{
    struct asnap_pprof_label_list labels;
    struct asnap_error *error = asnap_pprof_labels_make(&profile->labels, sum, &labels);
    if (error != NULL)
        return error;
    return write_sample(profile, sum->traceback, sum->total_count, sum->total_size, &labels);
}

/* Of what was ever allocated there are no blocks. */
static struct asnap_error *write_totals(struct profile *profile)
{
    struct asnap_pprof_label_list none = {.count = 0};
    size_t count = asnap_snapshot_stack_count(profile->snapshot);
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < count && asnap_export_goes_on(profile->job, i, count);
         i++) {
        struct asnap_stack_sum sum = asnap_snapshot_stack(profile->snapshot, i);
        error = write_sample(profile, sum.traceback_id, sum.count, sum.size, &none);
    }
    return error;
}

static struct asnap_error *write_samples(struct profile *profile)
{
    if (profile->job->options->values != ASNAP_EXPORT_LIVE)
        return write_totals(profile);
    struct asnap_block_sum *sums;
    size_t count;
    struct asnap_error *error = asnap_block_sums_create(profile->job, &sums, &count);
    if (error != NULL)
        return error;
    for (size_t i = 0; error == NULL && i < count && asnap_export_goes_on(profile->job, i, count);
         i++)
        error = write_blocks(profile, &sums[i]);
    free(sums);
    return error;
}

/* ---- locations and functions ---- */

static bool is_same_function(const void *context, uint32_t id)
{
    const struct profile *profile = context;
    const struct function *made = &profile->functions[profile->function_count];
    return profile->functions[id].name == made->name &&
           profile->functions[id].filename == made->filename;
}

/* The id of the function that a name and a file are, which is written where it is new. */
static struct asnap_error *find_function(struct profile *profile, struct function function,
                                         uint64_t *id)
{
    struct function *grown = asnap_grow(profile->functions, &profile->function_capacity,
                                        (size_t)profile->function_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    profile->functions = grown;
    grown[profile->function_count] = function;
    uint32_t hash = asnap_hash_bytes(&function, sizeof(function));
    uint32_t found = asnap_intern_find(&profile->function_index, hash, is_same_function, profile);
    *id = (uint64_t)found + 1;
    if (found != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(&profile->function_index);
    if (error != NULL)
        return error;
    asnap_intern_add(&profile->function_index, hash, profile->function_count++);
    *id = profile->function_count;
    Asnap__Function written = ASNAP__FUNCTION__INIT;
    Asnap__Function *lent = &written;
    Asnap__Profile part = ASNAP__PROFILE__INIT;
    written.id = *id;
    written.name = function.name;
    written.filename = function.filename;
    part.n_function = 1;
    part.function = &lent;
    asnap_pprof_write(&profile->writer, &part);
    return NULL;
}

static struct asnap_error *make_line(struct profile *profile, uint32_t frame_id, Asnap__Line *line)
{
    struct asnap_frame frame = asnap_snapshot_frame(profile->snapshot, frame_id);
    struct function function;
    asnap_pprof_mappings_see(&profile->mappings, frame_id, &frame);
    *line = (Asnap__Line)ASNAP__LINE__INIT;
    line->line = frame.lineno;
    struct asnap_error *error = asnap_pprof_name(
        &profile->writer, frame.function != NULL ? frame.function : frame.filename, &function.name);
    if (error == NULL)
        error = asnap_pprof_name(&profile->writer, frame.filename, &function.filename);
    return error != NULL ? error : find_function(profile, function, &line->function_id);
}

/* Writes a location with the lines of some frames. */
static void write_location(struct profile *profile, Asnap__Location *location, Asnap__Line **lines,
                           size_t count)
{
    Asnap__Profile part = ASNAP__PROFILE__INIT;
    location->n_line = count;
    location->line = lines;
    part.n_location = 1;
    part.location = &location;
    asnap_pprof_write(&profile->writer, &part);
}

static struct asnap_error *write_named(struct profile *profile, uint32_t number,
                                       const struct asnap_location *location)
{
    const uint32_t *frames = profile->locations.members + location->first;
    Asnap__Line *lines = calloc(location->frame_count, sizeof(*lines));
    Asnap__Line **lent = calloc(location->frame_count, sizeof(Asnap__Line *));
    struct asnap_error *error = NULL;
    if (lines == NULL || lent == NULL)
        error = asnap_error_no_memory();
    for (uint32_t i = 0; error == NULL && i < location->frame_count; i++) {
        lent[i] = &lines[i];
        error = make_line(profile, frames[i], &lines[i]);
    }
    if (error == NULL) {
        Asnap__Location written = ASNAP__LOCATION__INIT;
        uint64_t address = asnap_snapshot_frame_address(profile->snapshot, frames[0]);
        written.id = (uint64_t)number + 2;
        written.mapping_id = asnap_pprof_mappings_id(&profile->mappings, frames[0]);
        /* Of the call, which is before the return address. */
        written.address = address == 0 ? 0 : address - 1;
        write_location(profile, &written, lent, location->frame_count);
    }
    free(lines);
    free(lent);
    return error;
}

static struct asnap_error *write_cut(struct profile *profile)
{
    struct function function = {0};
    Asnap__Line line = ASNAP__LINE__INIT;
    Asnap__Line *lent = &line;
    Asnap__Location written = ASNAP__LOCATION__INIT;
    struct asnap_error *error = asnap_pprof_text(&profile->writer, cut_name, &function.name);
    if (error == NULL)
        error = find_function(profile, function, &line.function_id);
    written.id = 1;
    written.mapping_id = asnap_pprof_mappings_unknown(&profile->mappings);
    if (error == NULL)
        write_location(profile, &written, &lent, 1);
    return error;
}

static struct asnap_error *write_locations(struct profile *profile)
{
    const struct asnap_locations *locations = &profile->locations;
    struct asnap_error *error = profile->is_cut ? write_cut(profile) : NULL;
    for (uint32_t i = 0; error == NULL && i < locations->count &&
                         asnap_export_goes_on(profile->job, i, locations->count);
         i++)
        error = write_named(profile, i, &locations->locations[i]);
    return error;
}

static struct asnap_error *write_profile(struct profile *profile)
{
    struct asnap_error *error = write_types(profile);
    if (error == NULL)
        error = write_samples(profile);
    if (error == NULL)
        error = write_locations(profile);
    if (error == NULL)
        error = asnap_pprof_mappings_write(&profile->mappings, &profile->writer);
    if (error == NULL)
        error = write_notes(profile);
    if (error == NULL)
        asnap_pprof_end(&profile->writer);
    return error;
}

struct asnap_error *asnap_export_pprof(const struct asnap_export_job *job)
{
    struct profile *profile = calloc(1, sizeof(*profile));
    if (profile == NULL)
        return asnap_error_no_memory();
    profile->job = job;
    profile->snapshot = job->snapshot;
    struct asnap_error *error = asnap_pprof_open(&profile->writer, job->out);
    if (error == NULL)
        error = asnap_locations_init(&profile->locations, job->snapshot);
    if (error == NULL)
        error = asnap_pprof_labels_init(&profile->labels, job->snapshot, &profile->writer);
    if (error == NULL)
        error = asnap_pprof_mappings_init(&profile->mappings, job->snapshot);
    if (error == NULL)
        error = write_profile(profile);
    asnap_pprof_labels_deinit(&profile->labels);
    asnap_pprof_mappings_deinit(&profile->mappings);
    asnap_locations_deinit(&profile->locations);
    asnap_pprof_close(&profile->writer);
    asnap_intern_deinit(&profile->function_index);
    free(profile->functions);
    free(profile->ids);
    free(profile);
    return error;
}
