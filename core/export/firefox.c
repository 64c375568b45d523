/* Firefox Profiler's processed profile, version 60 (its src/types/profile.ts and
 * docs-developer/CHANGELOG-formats.md): tables of columns that lead into each other, and two
 * threads: one whose allocations are the bytes, and one whose samples are the blocks. */
#include <stdlib.h>
#include <string.h>

#include "export_kinds.h"
#include "firefox_functions.h"
#include "json.h"
#include "stack_sums.h"
#include "stack_tree.h"

#define NANOSECONDS_PER_MILLISECOND UINT64_C(1000000)

/* Stands for older frames that were not recorded. */
static const char cut_name[] = "[beyond the frame limit]";

struct profile {
    const struct asnap_export_job *job;
    struct asnap_strings strings;
    struct asnap_frame_rows rows;
    struct asnap_firefox_functions functions;
    uint32_t cut_string;
    struct asnap_stack_sums sums;
    struct asnap_stack_tree tree;
    uint32_t *nodes; /* of each of the sums */
};

/* ---- columns ---- */

typedef void write_cell(struct asnap_file_writer *out, const struct profile *profile, size_t place);

static void write_column(const struct profile *profile, const char *name, size_t count,
                         write_cell *cell)
{
    struct asnap_file_writer *out = profile->job->out;
    asnap_write_byte(out, '"');
    asnap_write_string(out, name);
    asnap_write_string(out, "\":[");
    for (size_t i = 0; i < count && asnap_export_goes_on(profile->job, i, count); i++) {
        if (i != 0)
            asnap_write_byte(out, ',');
        cell(out, profile, i);
    }
    asnap_write_string(out, "],\n");
}

struct column {
    const char *name;
    write_cell *cell;
};

/* The columns of a table, its length, and its end. */
static void write_columns(const struct profile *profile, const struct column *columns,
                          size_t column_count, size_t count)
{
    struct asnap_file_writer *out = profile->job->out;
    for (size_t i = 0; i < column_count; i++)
        write_column(profile, columns[i].name, count, columns[i].cell);
    asnap_write_string(out, "\"length\":");
    asnap_write_number(out, count);
    asnap_write_byte(out, '}');
}

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* A table with its name. */
#define WRITE_TABLE(PROFILE, NAME, COLUMNS, LENGTH)                                                \
    (asnap_write_string((PROFILE)->job->out, "\"" NAME "\":{\n"),                                  \
     write_columns(PROFILE, COLUMNS, COUNT(COLUMNS), LENGTH))

static void write_null(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    (void)profile;
    (void)place;
    asnap_write_string(out, "null");
}

static void write_zero(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    (void)profile;
    (void)place;
    asnap_write_byte(out, '0');
}

static void write_one(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    (void)profile;
    (void)place;
    asnap_write_byte(out, '1');
}

static void write_false(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    (void)profile;
    (void)place;
    asnap_write_string(out, "false");
}

static void write_place(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    (void)profile;
    asnap_write_number(out, place);
}

static void write_string(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    size_t size;
    const char *text = asnap_strings_get(&profile->strings, (uint32_t)place, &size);
    asnap_json_string(out, text, size);
}

/* ---- stacks, frames, functions ---- */

static void write_node_frame(struct asnap_file_writer *out, const struct profile *profile,
                             size_t place)
{
    asnap_write_number(out, profile->tree.nodes[place].frame);
}

static void write_node_parent(struct asnap_file_writer *out, const struct profile *profile,
                              size_t place)
{
    uint32_t parent = profile->tree.nodes[place].parent;
    if (parent == ASNAP_NONE)
        asnap_write_string(out, "null");
    else
        asnap_write_number(out, parent);
}

static void write_stacks(const struct profile *profile)
{
    static const struct column columns[] = {{"frame", write_node_frame},
                                            {"prefix", write_node_parent}};
    WRITE_TABLE(profile, "stackTable", columns, profile->tree.count);
}

/* The row of a frame; NULL: it is the last one, which stands for what was not recorded. */
static const struct asnap_frame_row *row_of(const struct profile *profile, size_t place)
{
    return place < profile->rows.frame_count ? &profile->rows.frames[place] : NULL;
}

static void write_frame_address(struct asnap_file_writer *out, const struct profile *profile,
                                size_t place)
{
    const struct asnap_frame_row *row = row_of(profile, place);
    if (row == NULL || row->offset == 0)
        asnap_write_string(out, "-1");
    else
        asnap_write_number(out, row->offset);
}

static void write_frame_depth(struct asnap_file_writer *out, const struct profile *profile,
                              size_t place)
{
    const struct asnap_frame_row *row = row_of(profile, place);
    asnap_write_byte(out, row != NULL && row->inlined ? '1' : '0');
}

static void write_frame_function(struct asnap_file_writer *out, const struct profile *profile,
                                 size_t place)
{
    const struct asnap_firefox_functions *functions = &profile->functions;
    asnap_write_number(out, row_of(profile, place) == NULL ? functions->count
                                                           : functions->of_frames[place]);
}

static void write_frame_line(struct asnap_file_writer *out, const struct profile *profile,
                             size_t place)
{
    const struct asnap_frame_row *row = row_of(profile, place);
    if (row == NULL || row->lineno == 0)
        asnap_write_string(out, "null");
    else
        asnap_write_number(out, row->lineno);
}

static void write_frames(const struct profile *profile)
{
    static const struct column columns[] = {
        {"address", write_frame_address}, {"inlineDepth", write_frame_depth},
        {"category", write_zero},         {"subcategory", write_zero},
        {"func", write_frame_function},   {"nativeSymbol", write_null},
        {"innerWindowID", write_null},    {"line", write_frame_line},
        {"column", write_null},
    };
    WRITE_TABLE(profile, "frameTable", columns, (size_t)profile->rows.frame_count + 1);
}

static const struct asnap_firefox_function *function_of(const struct profile *profile, size_t place)
{
    return place < profile->functions.count ? &profile->functions.functions[place] : NULL;
}

static void write_function_name(struct asnap_file_writer *out, const struct profile *profile,
                                size_t place)
{
    const struct asnap_firefox_function *function = function_of(profile, place);
    asnap_write_number(out, function == NULL ? profile->cut_string : function->name);
}

static void write_function_resource(struct asnap_file_writer *out, const struct profile *profile,
                                    size_t place)
{
    const struct asnap_firefox_function *function = function_of(profile, place);
    if (function == NULL || function->module == ASNAP_NONE)
        asnap_write_string(out, "-1");
    else
        asnap_write_number(out, function->module);
}

static void write_function_source(struct asnap_file_writer *out, const struct profile *profile,
                                  size_t place)
{
    const struct asnap_firefox_function *function = function_of(profile, place);
    if (function == NULL)
        asnap_write_string(out, "null");
    else
        asnap_write_number(out, function->source);
}

static void write_functions(const struct profile *profile)
{
    static const struct column columns[] = {
        {"name", write_function_name},     {"isJS", write_false},
        {"relevantForJS", write_false},    {"resource", write_function_resource},
        {"source", write_function_source}, {"lineNumber", write_null},
        {"columnNumber", write_null},
    };
    WRITE_TABLE(profile, "funcTable", columns, (size_t)profile->functions.count + 1);
}

/* ---- sources and modules ---- */

static void write_source_name(struct asnap_file_writer *out, const struct profile *profile,
                              size_t place)
{
    asnap_write_number(out, profile->functions.sources[place]);
}

static void write_resource_name(struct asnap_file_writer *out, const struct profile *profile,
                                size_t place)
{
    asnap_write_number(out, profile->rows.modules[place].path);
}

static void write_resources(const struct profile *profile)
{
    static const struct column columns[] = {{"lib", write_place},
                                            {"name", write_resource_name},
                                            {"host", write_null},
                                            {"type", write_one} /* a library */};
    WRITE_TABLE(profile, "resourceTable", columns, profile->rows.module_count);
}

static void write_sources(const struct profile *profile)
{
    static const struct column columns[] = {{"uuid", write_null}, {"filename", write_source_name}};
    WRITE_TABLE(profile, "sources", columns, profile->functions.source_count);
}

static void write_libs(const struct profile *profile)
{
    struct asnap_file_writer *out = profile->job->out;
    asnap_write_string(out, "\"libs\":[");
    for (uint32_t i = 0; i < profile->rows.module_count; i++) {
        size_t size;
        size_t id_size;
        const char *path =
            asnap_strings_get(&profile->strings, profile->rows.modules[i].path, &size);
        const char *id =
            asnap_strings_get(&profile->strings, profile->rows.modules[i].build_id, &id_size);
        const char *slash = memrchr(path, '/', size);
        const char *name = slash == NULL ? path : slash + 1;
        size_t name_size = size - (size_t)(name - path);
        asnap_write_string(out,
                           i == 0 ? "\n{\"arch\":\"\",\"name\":" : ",\n{\"arch\":\"\",\"name\":");
        asnap_json_string(out, name, name_size);
        asnap_write_string(out, ",\"path\":");
        asnap_json_string(out, path, size);
        asnap_write_string(out, ",\"debugName\":");
        asnap_json_string(out, name, name_size);
        asnap_write_string(out, ",\"debugPath\":");
        asnap_json_string(out, path, size);
        asnap_write_string(out, ",\"breakpadId\":\"\",\"codeId\":");
        if (id_size == 0)
            asnap_write_string(out, "null");
        else
            asnap_json_string(out, id, id_size);
        asnap_write_byte(out, '}');
    }
    asnap_write_string(out, "],\n");
}

/* ---- threads ---- */

static void write_difference(struct asnap_file_writer *out, const uint64_t sums[ASNAP_SUMS])
{
    if (sums[ASNAP_OLD_SUMS] > sums[ASNAP_NEW_SUMS]) {
        asnap_write_byte(out, '-');
        asnap_write_number(out, sums[ASNAP_OLD_SUMS] - sums[ASNAP_NEW_SUMS]);
    } else {
        asnap_write_number(out, sums[ASNAP_NEW_SUMS] - sums[ASNAP_OLD_SUMS]);
    }
}

static void write_size(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    write_difference(out, profile->sums.stacks[place].sizes);
}

static void write_count(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    write_difference(out, profile->sums.stacks[place].counts);
}

static void write_stack(struct asnap_file_writer *out, const struct profile *profile, size_t place)
{
    asnap_write_number(out, profile->nodes[place]);
}

/* The columns of one of the two tables of weights. */
static void write_weights(const struct profile *profile, size_t count, const char *type,
                          write_cell *weight)
{
    asnap_write_string(profile->job->out, "{\n\"weightType\":\"");
    asnap_write_string(profile->job->out, type);
    asnap_write_string(profile->job->out, "\",\n");
    const struct column columns[] = {
        {"time", write_zero}, {"weight", weight}, {"stack", write_stack}};
    write_columns(profile, columns, COUNT(columns), count);
}

static void write_thread(const struct profile *profile, const char *name, unsigned number)
{
    struct asnap_file_writer *out = profile->job->out;
    bool is_of_bytes = number == 0;
    asnap_write_string(out, number == 0 ? "{" : ",\n{");
    asnap_write_string(out, "\"processType\":\"default\",\"processStartupTime\":0,"
                            "\"processShutdownTime\":null,\"registerTime\":0,"
                            "\"unregisterTime\":null,\"pausedRanges\":[],\"isMainThread\":true,"
                            "\"pid\":\"0\",\"tid\":");
    asnap_write_number(out, number);
    asnap_write_string(out, ",\"name\":\"");
    asnap_write_string(out, name);
    asnap_write_string(out, "\",\n\"markers\":{\"data\":[],\"name\":[],\"startTime\":[],"
                            "\"endTime\":[],\"phase\":[],\"category\":[],\"length\":0},\n"
                            "\"samples\":");
    write_weights(profile, is_of_bytes ? 0 : profile->sums.count, "samples", write_count);
    if (is_of_bytes) {
        asnap_write_string(out, ",\n\"nativeAllocations\":");
        write_weights(profile, profile->sums.count, "bytes", write_size);
    }
    asnap_write_byte(out, '}');
}

/* ---- the whole ---- */

/* What is missing, among what the profiler tells of a profile. */
static void write_notes(const struct asnap_export_job *job)
{
    size_t count = asnap_snapshot_note_count(job->snapshot);
    asnap_write_string(job->out, "\"extra\":[{\"label\":\"Snapshot\",\"entries\":[");
    for (size_t i = 0; i < count; i++) {
        asnap_write_string(job->out, i == 0 ? "" : ",");
        asnap_write_string(job->out, "{\"label\":\"Note\",\"format\":\"string\",\"value\":");
        asnap_json_text(job->out, asnap_snapshot_note(job->snapshot, i));
        asnap_write_byte(job->out, '}');
    }
    asnap_write_string(job->out, "]}]},\n");
}

static void write_meta(const struct asnap_export_job *job)
{
    struct asnap_file_writer *out = job->out;
    asnap_write_string(out, "{\"meta\":{\"version\":30,\"preprocessedProfileVersion\":60,"
                            "\"product\":\"allocsnap\",\"importedFrom\":\"allocsnap\","
                            "\"interval\":1,\"processType\":0,\"stackwalk\":1,\"startTime\":");
    asnap_write_number(out, asnap_snapshot_start_time(job->snapshot) / NANOSECONDS_PER_MILLISECOND);
    asnap_write_string(out, ",\n\"symbolicated\":true,\"symbolicationNotSupported\":true,"
                            "\"usesOnlyOneStackType\":true,\"sourceCodeIsNotOnSearchfox\":true,"
                            "\"keepProfileThreadOrder\":true,\"initialVisibleThreads\":[0,1],"
                            "\"initialSelectedThreads\":[");
    asnap_write_byte(out, job->options->by_count ? '1' : '0');
    asnap_write_string(out, "],\n\"categories\":[{\"name\":\"Other\",\"color\":\"grey\","
                            "\"subcategories\":[\"Other\"]}],\"markerSchema\":[],\n");
    write_notes(job);
}

static void write_profile(const struct profile *profile)
{
    struct asnap_file_writer *out = profile->job->out;
    bool compares = profile->job->options->old_snapshot != NULL;
    write_meta(profile->job);
    write_libs(profile);
    asnap_write_string(out, "\"shared\":{\n");
    write_column(profile, "stringArray", profile->strings.count, write_string);
    write_stacks(profile);
    asnap_write_string(out, ",\n");
    write_frames(profile);
    asnap_write_string(out, ",\n");
    write_functions(profile);
    asnap_write_string(out, ",\n");
    write_resources(profile);
    asnap_write_string(out, ",\n\"nativeSymbols\":{\"libIndex\":[],\"address\":[],\"name\":[],"
                            "\"functionSize\":[],\"length\":0},\n");
    write_sources(profile);
    asnap_write_string(out, "},\n\"threads\":[");
    write_thread(profile, compares ? "difference in bytes" : "bytes", 0);
    write_thread(profile, compares ? "difference in blocks" : "blocks", 1);
    asnap_write_string(out, "]}\n");
}

/* Sums up the stacks of a snapshot, whose frames have these labels. */
static struct asnap_error *add_sums(struct profile *profile, const struct asnap_snapshot *snapshot,
                                    const uint32_t *labels, int which)
{
    return asnap_stack_sums_add(&profile->sums, snapshot, labels, profile->rows.frame_count, which,
                                NULL);
}

/* The label of what was not recorded is one more than those of all frames, so that these come
 * first. */
static struct asnap_error *sum_up(struct profile *profile)
{
    const struct asnap_snapshot *older = profile->job->options->old_snapshot;
    uint32_t *labels = NULL;
    uint32_t *old_labels = NULL;
    struct asnap_error *error =
        asnap_frame_rows_add(&profile->rows, profile->job->snapshot, &labels);
    if (error == NULL && older != NULL)
        error = asnap_frame_rows_add(&profile->rows, older, &old_labels);
    if (error == NULL)
        error = add_sums(profile, profile->job->snapshot, labels, ASNAP_NEW_SUMS);
    if (error == NULL && older != NULL)
        error = add_sums(profile, older, old_labels, ASNAP_OLD_SUMS);
    free(labels);
    free(old_labels);
    return error;
}

static struct asnap_error *find_nodes(struct profile *profile)
{
    const struct asnap_stack_sums *sums = &profile->sums;
    struct asnap_error *error = NULL;
    profile->nodes = calloc(sums->count + 1, sizeof(*profile->nodes));
    if (profile->nodes == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < sums->count; i++)
        error = asnap_stack_tree_add(&profile->tree, sums->labels + sums->stacks[i].first,
                                     sums->stacks[i].label_count, &profile->nodes[i]);
    asnap_intern_deinit(&profile->tree.index);
    return error;
}

struct asnap_error *asnap_export_firefox(const struct asnap_export_job *job)
{
    struct profile profile = {.job = job};
    profile.rows.strings = &profile.strings;
    asnap_strings_bytes(&profile.strings, cut_name, sizeof(cut_name) - 1);
    struct asnap_error *error = asnap_strings_end(&profile.strings, &profile.cut_string);
    if (error == NULL)
        error = sum_up(&profile);
    if (error == NULL)
        error = find_nodes(&profile);
    if (error == NULL)
        error = asnap_firefox_functions_init(&profile.functions, &profile.rows);
    if (error == NULL)
        write_profile(&profile);
    asnap_firefox_functions_deinit(&profile.functions);
    asnap_stack_tree_deinit(&profile.tree);
    asnap_stack_sums_deinit(&profile.sums);
    asnap_frame_rows_deinit(&profile.rows);
    asnap_strings_deinit(&profile.strings);
    free(profile.nodes);
    return error;
}
