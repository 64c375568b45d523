/* speedscope's own format (https://www.speedscope.app/file-format-schema.json): frames, and
 * profiles of samples with weights. A frame is a function in a file. */
#include <stdlib.h>
#include <string.h>

#include "export_kinds.h"
#include "frame_labels.h"
#include "json.h"
#include "stack_sums.h"

/* Stands for older frames that were not recorded. */
static const char cut_frame[] = "{\"name\":\"[beyond the frame limit]\"}";

/* Of what a stack's number is. */
enum difference { NEWER, OLDER, GROWN, SHRUNK };

struct kind {
    const char *name;
    enum difference difference;
    bool counts; /* blocks, and not bytes */
};

static const struct kind kinds[] = {
    {"bytes", NEWER, false},         {"blocks", NEWER, true},
    {"bytes grown", GROWN, false},   {"blocks grown", GROWN, true},
    {"bytes shrunk", SHRUNK, false}, {"blocks shrunk", SHRUNK, true},
    {"bytes before", OLDER, false},  {"blocks before", OLDER, true},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), KINDS_OF_ONE = 2, FIRST_GROWN = 2 };

static uint64_t weight_of(const struct kind *kind, const struct asnap_summed_stack *stack)
{
    const uint64_t *numbers = kind->counts ? stack->counts : stack->sizes;
    uint64_t newer = numbers[ASNAP_NEW_SUMS];
    uint64_t older = numbers[ASNAP_OLD_SUMS];
    switch (kind->difference) {
    case NEWER:
        return newer;
    case OLDER:
        return older;
    case GROWN:
        return newer > older ? newer - older : 0;
    case SHRUNK:
        break;
    }
    return older > newer ? older - newer : 0;
}

static void label(const struct asnap_frame *frame, struct asnap_strings *strings,
                  const void *context)
{
    static const char name[] = "{\"name\":\"";
    static const char file[] = "\",\"file\":\"";
    (void)context;
    asnap_strings_bytes(strings, name, sizeof(name) - 1);
    asnap_strings_json(strings, frame->function != NULL ? frame->function : frame->filename);
    asnap_strings_bytes(strings, file, sizeof(file) - 1);
    asnap_strings_json(strings, frame->filename);
    asnap_strings_bytes(strings, "\"}", 2);
}

static struct asnap_error *add(struct asnap_stack_sums *sums, struct asnap_strings *strings,
                               const struct asnap_snapshot *snapshot, int which)
{
    uint32_t *labels;
    uint32_t cut;
    asnap_strings_bytes(strings, cut_frame, sizeof(cut_frame) - 1);
    struct asnap_error *error = asnap_strings_end(strings, &cut);
    if (error == NULL)
        error = asnap_frame_labels(snapshot, strings, label, NULL, &labels);
    if (error != NULL)
        return error;
    error = asnap_stack_sums_add(sums, snapshot, labels, cut, which, NULL);
    free(labels);
    return error;
}

static void write_sample(struct asnap_file_writer *out, const struct asnap_stack_sums *sums,
                         const struct asnap_summed_stack *stack)
{
    asnap_write_byte(out, '[');
    for (uint32_t i = 0; i < stack->label_count; i++) {
        if (i != 0)
            asnap_write_byte(out, ',');
        asnap_write_number(out, sums->labels[stack->first + i]);
    }
    asnap_write_byte(out, ']');
}

static void write_profile(const struct asnap_export_job *job, const struct asnap_stack_sums *sums,
                          const struct kind *kind)
{
    struct asnap_file_writer *out = job->out;
    uint64_t total = 0;
    bool is_first = true;
    asnap_write_string(out, "{\"type\":\"sampled\",\"name\":\"");
    asnap_write_string(out, kind->name);
    asnap_write_string(out, kind->counts
                                ? "\",\"unit\":\"none\",\"startValue\":0,\n\"samples\":["
                                : "\",\"unit\":\"bytes\",\"startValue\":0,\n\"samples\":[");
    for (size_t i = 0; i < sums->count && asnap_export_goes_on(job, i, sums->count); i++) {
        if (weight_of(kind, &sums->stacks[i]) == 0)
            continue;
        if (!is_first)
            asnap_write_string(out, ",\n");
        is_first = false;
        write_sample(out, sums, &sums->stacks[i]);
    }
    asnap_write_string(out, "],\n\"weights\":[");
    is_first = true;
    for (size_t i = 0; i < sums->count; i++) {
        uint64_t weight = weight_of(kind, &sums->stacks[i]);
        if (weight == 0)
            continue;
        if (!is_first)
            asnap_write_byte(out, ',');
        is_first = false;
        asnap_write_number(out, weight);
        total += weight;
    }
    asnap_write_string(out, "],\n\"endValue\":");
    asnap_write_number(out, total);
    asnap_write_byte(out, '}');
}

static void write_frames(struct asnap_file_writer *out, const struct asnap_strings *strings)
{
    for (uint32_t i = 0; i < strings->count; i++) {
        size_t size;
        const char *frame = asnap_strings_get(strings, i, &size);
        if (i != 0)
            asnap_write_string(out, ",\n");
        asnap_write_bytes(out, frame, size);
    }
}

/* What is missing, where speedscope looks at nothing. */
static void write_notes(const struct asnap_export_job *job)
{
    size_t count = asnap_snapshot_note_count(job->snapshot);
    asnap_write_string(job->out, "\"notes\":[");
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            asnap_write_byte(job->out, ',');
        asnap_json_text(job->out, asnap_snapshot_note(job->snapshot, i));
    }
    asnap_write_string(job->out, "],\n");
}

static void write_all(const struct asnap_export_job *job, const struct asnap_stack_sums *sums,
                      const struct asnap_strings *strings)
{
    struct asnap_file_writer *out = job->out;
    bool compares = job->options->old_snapshot != NULL;
    asnap_write_string(out, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                            "\"exporter\":\"allocsnap\",\n\"activeProfileIndex\":");
    asnap_write_number(out, (compares ? FIRST_GROWN : 0) + (job->options->by_count ? 1u : 0u));
    asnap_write_string(out, ",\n");
    write_notes(job);
    asnap_write_string(out, "\"shared\":{\"frames\":[");
    write_frames(out, strings);
    asnap_write_string(out, "]},\n\"profiles\":[");
    for (size_t i = 0; i < (compares ? KINDS : KINDS_OF_ONE) && out->error == NULL; i++) {
        if (i != 0)
            asnap_write_string(out, ",\n");
        write_profile(job, sums, &kinds[i]);
    }
    asnap_write_string(out, "]}\n");
}

struct asnap_error *asnap_export_speedscope(const struct asnap_export_job *job)
{
    struct asnap_strings strings = {0};
    struct asnap_stack_sums sums = {0};
    struct asnap_error *error = add(&sums, &strings, job->snapshot, ASNAP_NEW_SUMS);
    if (error == NULL && job->options->old_snapshot != NULL)
        error = add(&sums, &strings, job->options->old_snapshot, ASNAP_OLD_SUMS);
    if (error == NULL)
        write_all(job, &sums, &strings);
    asnap_stack_sums_deinit(&sums);
    asnap_strings_deinit(&strings);
    return error;
}
