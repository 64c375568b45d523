/* Folded stacks: "main;parse;read 4096", a line for each stack, the oldest frame first. Of two
 * snapshots there are two numbers, the older one's first (difffolded.pl). */
#include <stdlib.h>

#include "export_kinds.h"
#include "frame_labels.h"
#include "stack_sums.h"

/* What would end a frame, or begin a comment. */
#define ESCAPED ";#"

/* Stands for older frames that were not recorded. */
static const char cut_label[] = "[beyond the frame limit]";

static struct asnap_error *add(struct asnap_stack_sums *sums, struct asnap_strings *strings,
                               const struct asnap_snapshot *snapshot, int which)
{
    uint32_t *labels;
    uint32_t cut;
    asnap_strings_bytes(strings, cut_label, sizeof(cut_label) - 1);
    struct asnap_error *error = asnap_strings_end(strings, &cut);
    if (error == NULL)
        error = asnap_frame_functions(snapshot, strings, ESCAPED, &labels);
    if (error != NULL)
        return error;
    error = asnap_stack_sums_add(sums, snapshot, labels, cut, which, NULL);
    free(labels);
    return error;
}

static void write_stack(struct asnap_file_writer *out, const struct asnap_stack_sums *sums,
                        const struct asnap_strings *strings, const struct asnap_summed_stack *stack)
{
    for (uint32_t i = 0; i < stack->label_count; i++) {
        size_t size;
        const char *label = asnap_strings_get(strings, sums->labels[stack->first + i], &size);
        if (i != 0)
            asnap_write_byte(out, ';');
        asnap_write_bytes(out, label, size);
    }
}

static void write_all(const struct asnap_export_job *job, const struct asnap_stack_sums *sums,
                      const struct asnap_strings *strings)
{
    bool compares = job->options->old_snapshot != NULL;
    for (size_t i = 0; i < sums->count && asnap_export_goes_on(job, i, sums->count); i++) {
        const struct asnap_summed_stack *stack = &sums->stacks[i];
        const uint64_t *numbers = job->options->by_count ? stack->counts : stack->sizes;
        if (numbers[ASNAP_NEW_SUMS] == 0 && numbers[ASNAP_OLD_SUMS] == 0)
            continue;
        write_stack(job->out, sums, strings, stack);
        if (compares) {
            asnap_write_byte(job->out, ' ');
            asnap_write_number(job->out, numbers[ASNAP_OLD_SUMS]);
        }
        asnap_write_byte(job->out, ' ');
        asnap_write_number(job->out, numbers[ASNAP_NEW_SUMS]);
        asnap_write_byte(job->out, '\n');
    }
}

struct asnap_error *asnap_export_folded(const struct asnap_export_job *job)
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
