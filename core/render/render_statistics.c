#include "formats.h"

static struct asnap_statistic_diff get_row(const void *object, size_t index)
{
    struct asnap_statistic row = asnap_statistics_row(object, index);
    return (struct asnap_statistic_diff){
        .size = row.size,
        .count = row.count,
        .frame_count = row.frame_count,
        .total_nframe = row.total_nframe,
        .function_count = row.function_count,
    };
}

static struct asnap_frame get_frame(const void *object, size_t index, size_t frame)
{
    return asnap_statistics_frame(object, index, frame);
}

static struct asnap_place get_place(const void *object, size_t index, size_t frame)
{
    return asnap_statistics_place(object, index, frame);
}

static const char *get_label(const void *object, size_t index, char buffer[ASNAP_LABEL_SIZE])
{
    return asnap_statistics_label(object, index, buffer);
}

static struct asnap_bounds get_bounds(const void *object, size_t index)
{
    return asnap_statistics_bounds(object, index);
}

static struct asnap_error *get_detail(const void *object, size_t index, struct asnap_detail *detail)
{
    return asnap_statistics_detail(object, index, detail);
}

static struct asnap_beside_sum get_beside(const void *object, size_t index)
{
    return asnap_statistics_beside_sum(object, index);
}

static const char *get_note(const void *object, size_t index)
{
    return asnap_statistics_note(object, index);
}

static void get_estimates(const void *object, size_t index, struct asnap_estimate estimates[2])
{
    estimates[0] = asnap_statistics_estimate(object, index);
    estimates[1] = (struct asnap_estimate){0};
}

static struct asnap_rows rows_of(const struct asnap_statistics *statistics)
{
    return (struct asnap_rows){
        .object = statistics,
        .key = asnap_statistics_key(statistics),
        .cumulative = asnap_statistics_cumulative(statistics),
        .count = asnap_statistics_count(statistics),
        .row = get_row,
        .frame = get_frame,
        .place = get_place,
        .label = get_label,
        .bounds = get_bounds,
        .detail = get_detail,
        .beside = asnap_statistics_beside(statistics),
        .beside_sum = get_beside,
        .total.size = asnap_statistics_total_size(statistics),
        .total.count = asnap_statistics_total_count(statistics),
        .sample_periods = {asnap_statistics_sample_period(statistics)},
        .estimates = get_estimates,
        .total_estimates = {asnap_statistics_total_estimate(statistics)},
        .note_count = asnap_statistics_note_count(statistics),
        .note = get_note,
    };
}

struct asnap_error *asnap_render_statistics(const struct asnap_statistics *statistics,
                                            enum asnap_format format,
                                            const struct asnap_render_options *options, char **text)
{
    struct asnap_rows rows = rows_of(statistics);
    return asnap_rows_render(&rows, format, options, text);
}
