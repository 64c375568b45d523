/* Folded stacks: "main;parse;read 4096", a line for each stack, the oldest frame first. Of two
 * snapshots there are two numbers, the older one's first (difffolded.pl). */
#include "export_kinds.h"
#include "frame_labels.h"
#include "stack_sums.h"

/* What would end a frame, or begin a comment. */
#define ESCAPED ";#"

/* Stands for older frames that were not recorded. */
static const char cut_label[] = "[beyond the frame limit]";

static struct asnap_error *make_labels(const struct asnap_snapshot *snapshot,
                                       struct asnap_strings *strings, uint32_t **labels)
{
    return asnap_frame_functions(snapshot, strings, ESCAPED, labels);
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
    return asnap_stack_sums_export(job, cut_label, make_labels, write_all);
}
