#include <math.h>

#include "block_origin.h"
#include "json_pieces.h"
#include "number_text.h"
#include "rows.h"

static void write_signed_field(struct asnap_text *text, const char *name, int64_t number)
{
    asnap_text_string(text, name);
    if (number < 0)
        asnap_text_string(text, "-");
    asnap_text_number(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

/* The fields of a sum, without braces around them. */
static void write_sum(struct asnap_text *text, const struct asnap_rows *rows,
                      const struct asnap_statistic_diff *row)
{
    asnap_json_field(text, "\"size\":", row->size);
    if (rows->has_diffs)
        write_signed_field(text, ",\"size_diff\":", row->size_diff);
    asnap_json_field(text, ",\"count\":", row->count);
    if (rows->has_diffs)
        write_signed_field(text, ",\"count_diff\":", row->count_diff);
}

/* What is known of that, where there is a sample. */
static void write_estimates(struct asnap_text *text, const struct asnap_rows *rows,
                            const struct asnap_estimate estimates[2])
{
    if (!asnap_rows_estimated(rows))
        return;
    asnap_json_field(text, ",\"sampled_count\":", estimates[0].sampled_count);
    asnap_json_field(text, ",\"error\":", (uint64_t)llround(estimates[0].size_error));
    asnap_json_field(text, ",\"count_error\":", (uint64_t)llround(estimates[0].count_error));
    if (rows->has_diffs)
        asnap_json_field(text,
                         ",\"size_diff_error\":", (uint64_t)llround(asnap_rows_error(estimates)));
}

/* The period of the sample; of differences, of either side. */
static void write_periods(struct asnap_text *text, const struct asnap_rows *rows)
{
    if (!asnap_rows_estimated(rows))
        return;
    asnap_json_field(text, ",\"sample_period\":", rows->sample_periods[0]);
    if (rows->has_diffs)
        asnap_json_field(text, ",\"old_sample_period\":", rows->sample_periods[1]);
}

/* A number, or null for one that is not known or has no bound. */
static void write_bound(struct asnap_text *text, const char *name, uint64_t number, bool is_known)
{
    asnap_text_string(text, name);
    if (is_known)
        asnap_text_number(text, number);
    else
        asnap_text_string(text, "null");
}

/* What the row is of, where its traceback alone does not say that. */
static void write_label(struct asnap_text *text, const struct asnap_rows *rows, size_t index,
                        const struct asnap_render_options *options)
{
    enum asnap_label_kind kind = asnap_rows_key(rows)->label;
    char buffer[ASNAP_LABEL_SIZE];
    if (kind == ASNAP_LABEL_PLACE)
        return;
    asnap_text_string(text, ",\"label\":");
    asnap_text_json_string(text, rows->label(rows->object, index, buffer));
    struct asnap_bounds bounds = rows->bounds(rows->object, index);
    if (kind == ASNAP_LABEL_THREAD)
        asnap_origin_json_thread(text, bounds, options);
    if (kind == ASNAP_LABEL_RANGE) {
        write_bound(text, ",\"from\":", bounds.from, bounds.below != 0);
        write_bound(text, ",\"below\":", bounds.below,
                    bounds.below != 0 && bounds.below != UINT64_MAX);
    }
}

static struct asnap_error *write_detail(struct asnap_text *text, const struct asnap_rows *rows,
                                        const struct asnap_statistic_diff *row, size_t index)
{
    struct asnap_detail detail;
    struct asnap_error *error = rows->detail(rows->object, index, &detail);
    if (error != NULL || row->count == 0)
        return error;
    if (detail.through.count != 0) {
        asnap_text_string(text, ",\"through\":{\"function\":");
        asnap_text_json_string(text, detail.function);
        asnap_json_field(text, ",\"functions\":", detail.function_count);
        asnap_json_field(text, ",\"size\":", detail.through.size);
        asnap_json_field(text, ",\"count\":", detail.through.count);
        asnap_text_string(text, "}");
    }
    if (rows->cumulative) {
        asnap_json_field(text, ",\"once\":{\"size\":", row->size - detail.repeated.size);
        asnap_json_field(text, ",\"count\":", row->count - detail.repeated.count);
        asnap_text_string(text, "}");
    }
    return NULL;
}

static void write_beside(struct asnap_text *text, const struct asnap_rows *rows, size_t index)
{
    if (rows->beside == ASNAP_BESIDE_NOTHING)
        return;
    bool retained = rows->beside == ASNAP_BESIDE_RETAINED;
    struct asnap_beside_sum sum = rows->beside_sum(rows->object, index);
    asnap_json_field(text, retained ? ",\"retained_size\":" : ",\"indirect_size\":", sum.size);
    asnap_json_field(text, retained ? ",\"retained_count\":" : ",\"indirect_count\":", sum.count);
    if (sum.exact_count != 0) {
        asnap_json_field(text, ",\"exact_size\":", sum.exact_size);
        asnap_json_field(text, ",\"exact_count\":", sum.exact_count);
    }
    if (!retained) {
        asnap_json_field(text, ",\"cycles\":", sum.cycles);
        asnap_json_field(text, ",\"cycle_count\":", sum.cycle_count);
    }
}

static struct asnap_error *write_row(struct asnap_text *text, const struct asnap_rows *rows,
                                     size_t index, const struct asnap_render_options *options)
{
    struct asnap_statistic_diff row = rows->row(rows->object, index);
    char average[ASNAP_NUMBER_SIZE] = "null";
    if (row.count != 0)
        asnap_format_ratio(row.size, row.count, average);
    asnap_text_string(text, "{");
    write_sum(text, rows, &row);
    struct asnap_estimate estimates[2];
    rows->estimates(rows->object, index, estimates);
    write_estimates(text, rows, estimates);
    write_beside(text, rows, index);
    asnap_text_string(text, ",\"average\":");
    asnap_text_string(text, average);
    write_label(text, rows, index, options);
    asnap_text_string(text, ",\"traceback\":[");
    for (size_t i = 0; i < row.frame_count; i++) {
        struct asnap_frame frame = rows->frame(rows->object, index, i);
        struct asnap_place place = rows->place(rows->object, index, i);
        if (i != 0)
            asnap_text_string(text, ",");
        asnap_json_frame(text, &frame, &place);
    }
    asnap_text_string(text, "]");
    asnap_json_total(text, row.total_nframe);
    asnap_json_field(text, ",\"functions\":", row.function_count);
    struct asnap_error *error = write_detail(text, rows, &row, index);
    asnap_text_string(text, "}");
    return error;
}

static void write_other(struct asnap_text *text, const struct asnap_rows *rows, size_t shown)
{
    if (shown == rows->count || rows->cumulative)
        return;
    struct asnap_estimate estimates[2];
    struct asnap_statistic_diff other = asnap_rows_other(rows, shown, estimates);
    asnap_json_field(text, ",\"other\":{\"rows\":", rows->count - shown);
    asnap_text_string(text, ",");
    write_sum(text, rows, &other);
    write_estimates(text, rows, estimates);
    asnap_text_string(text, "}");
}

struct asnap_error *asnap_rows_json(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text)
{
    struct asnap_text json = {0};
    size_t shown = asnap_rows_shown(rows, options);
    asnap_text_string(&json, "{\"key\":");
    asnap_text_json_string(&json, asnap_rows_key(rows)->name);
    asnap_text_string(&json, rows->cumulative ? ",\"cumulative\":true" : ",\"cumulative\":false");
    write_periods(&json, rows);
    asnap_text_string(&json, ",\"statistics\":[");
    for (size_t i = 0; i < shown; i++) {
        if (i != 0)
            asnap_text_string(&json, ",");
        struct asnap_error *error = write_row(&json, rows, i, options);
        if (error != NULL) {
            asnap_text_deinit(&json);
            return error;
        }
    }
    asnap_json_field(&json, "],\"rows\":", rows->count);
    write_other(&json, rows, shown);
    asnap_text_string(&json, ",\"total\":{");
    write_sum(&json, rows, &rows->total);
    write_estimates(&json, rows, rows->total_estimates);
    if (options->unfiltered != NULL) {
        asnap_text_string(&json, "},\"unfiltered\":{");
        write_sum(&json, rows, options->unfiltered);
    }
    asnap_text_string(&json, "},\"notes\":[");
    for (size_t i = 0; i < rows->note_count; i++) {
        if (i != 0)
            asnap_text_string(&json, ",");
        asnap_text_json_string(&json, rows->note(rows->object, i));
    }
    asnap_text_string(&json, "]}\n");
    return asnap_text_finish(&json, text);
}
