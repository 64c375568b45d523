#include "formats.h"

static struct asnap_statistic_diff get_row(const void *object, size_t index)
{
    return asnap_diff_row(object, index);
}

static struct asnap_frame get_frame(const void *object, size_t index, size_t frame)
{
    return asnap_diff_frame(object, index, frame);
}

static struct asnap_place get_place(const void *object, size_t index, size_t frame)
{
    return asnap_diff_place(object, index, frame);
}

static const char *get_label(const void *object, size_t index, char buffer[ASNAP_LABEL_SIZE])
{
    return asnap_diff_label(object, index, buffer);
}

static struct asnap_bounds get_bounds(const void *object, size_t index)
{
    return asnap_diff_bounds(object, index);
}

static struct asnap_error *get_detail(const void *object, size_t index, struct asnap_detail *detail)
{
    return asnap_diff_detail(object, index, detail);
}

static const char *get_note(const void *object, size_t index)
{
    return asnap_diff_note(object, index);
}

static void get_estimates(const void *object, size_t index, struct asnap_estimate estimates[2])
{
    asnap_diff_estimates(object, index, estimates);
}

static struct asnap_rows rows_of(const struct asnap_diff *diff)
{
    struct asnap_rows rows = {
        .object = diff,
        .key = asnap_diff_key(diff),
        .cumulative = asnap_diff_cumulative(diff),
        .has_diffs = true,
        .count = asnap_diff_count(diff),
        .row = get_row,
        .frame = get_frame,
        .place = get_place,
        .label = get_label,
        .bounds = get_bounds,
        .detail = get_detail,
        .total = asnap_diff_total(diff),
        .note_count = asnap_diff_note_count(diff),
        .note = get_note,
        .estimates = get_estimates,
    };
    asnap_diff_sample_periods(diff, rows.sample_periods);
    asnap_diff_total_estimates(diff, rows.total_estimates);
    return rows;
}

struct asnap_error *asnap_render_diff(const struct asnap_diff *diff, enum asnap_format format,
                                      const struct asnap_render_options *options, char **text)
{
    struct asnap_rows rows = rows_of(diff);
    return asnap_rows_render(&rows, format, options, text);
}
