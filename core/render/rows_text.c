#include "block_origin.h"
#include "number_text.h"
#include "page.h"
#include "rows.h"

struct writer {
    const struct asnap_rows *rows;
    struct asnap_page page;
};

static void write_string(struct writer *writer, const char *string)
{
    asnap_page_string(&writer->page, string);
}

static void write_number(struct writer *writer, uint64_t number)
{
    asnap_page_number(&writer->page, number);
}

/* " \u00b16%" of what is estimated; nothing where that is as good as counted. */
static void write_error(struct writer *writer, double error, uint64_t size)
{
    char text[ASNAP_NUMBER_SIZE];
    if (size == 0 || error / (double)size < 0.0005)
        return;
    asnap_format_percent(100 * error / (double)size, text);
    write_string(writer, " \u00b1");
    write_string(writer, text);
}

/* " (+1.2 MiB \u00b110.0 KiB)" */
static void write_difference(struct writer *writer, const struct asnap_statistic_diff *row,
                             const struct asnap_estimate estimates[2])
{
    write_string(writer, " (");
    asnap_page_size(&writer->page, row->size_diff, true);
    if (asnap_rows_error(estimates) >= 1) {
        write_string(writer, " \u00b1");
        asnap_page_size(&writer->page, (int64_t)asnap_rows_error(estimates), false);
    }
    write_string(writer, ")");
}

/* "size=4.1 MiB, count=2103"; with differences, as tracemalloc writes them,
 * "size=4.1 MiB (+1.2 MiB), count=2103 (+12)"; of a sample
 * "size=4.1 MiB \u00b16%, count=2103, sampled=12" */
static void write_sum(struct writer *writer, const struct asnap_statistic_diff *row,
                      const struct asnap_estimate estimates[2])
{
    write_string(writer, writer->rows->beside == ASNAP_BESIDE_LEAKED ? "leaked=" : "size=");
    asnap_page_size(&writer->page, (int64_t)row->size, false);
    write_error(writer, estimates[0].size_error, row->size);
    if (writer->rows->has_diffs)
        write_difference(writer, row, estimates);
    write_string(writer, ", count=");
    write_number(writer, row->count);
    if (writer->rows->has_diffs) {
        bool less = row->count_diff < 0;
        write_string(writer, less ? " (-" : " (+");
        write_number(writer, less ? 0 - (uint64_t)row->count_diff : (uint64_t)row->count_diff);
        write_string(writer, ")");
    }
    if (writer->rows->sample_periods[0] != 0) {
        write_string(writer, ", sampled=");
        write_number(writer, estimates[0].sampled_count);
    }
}

static void write_filtered(struct writer *writer, const struct asnap_statistic_diff *all)
{
    const struct asnap_statistic_diff *part = &writer->rows->total;
    write_string(writer, "filtered: ");
    asnap_page_part(&writer->page, part->count, part->size, all->count, all->size);
    if (writer->rows->has_diffs) {
        write_string(writer, ", before ");
        asnap_page_part(&writer->page, part->count - (uint64_t)part->count_diff,
                        part->size - (uint64_t)part->size_diff,
                        all->count - (uint64_t)all->count_diff,
                        all->size - (uint64_t)all->size_diff);
    }
    write_string(writer, "\n");
}

/* "37 lines" */
static void write_groups(struct writer *writer, size_t count)
{
    write_number(writer, count);
    write_string(writer, " ");
    write_string(writer, asnap_rows_key(writer->rows)->noun);
    if (count != 1)
        write_string(writer, "s");
}

static void write_header(struct writer *writer, size_t shown)
{
    if (shown < writer->rows->count) {
        write_string(writer, "Top ");
        write_number(writer, shown);
        write_string(writer, " of ");
    }
    write_groups(writer, writer->rows->count);
    write_string(writer, writer->rows->has_diffs                         ? ", by difference in size"
                         : writer->rows->beside == ASNAP_BESIDE_RETAINED ? ", by retained size"
                                                                         : ", by size");
    if (writer->rows->cumulative)
        write_string(writer, " (cumulative: a block counts for each of its frames)");
    write_string(writer, "\n");
}

static void write_function(struct writer *writer, const struct asnap_statistic_diff *row,
                           const struct asnap_frame *frame)
{
    if (frame->function == NULL)
        return;
    write_string(writer, ", in ");
    asnap_page_function(&writer->page, frame->function);
    if (row->function_count > 1) {
        write_string(writer, " (and ");
        write_number(writer, row->function_count - 1);
        write_string(writer, row->function_count == 2 ? " other)" : " others)");
    }
}

/* What the row is of. */
static void write_label(struct writer *writer, size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    enum asnap_label_kind kind = asnap_rows_key(rows)->label;
    char buffer[ASNAP_LABEL_SIZE];
    if (kind == ASNAP_LABEL_PLACE) {
        struct asnap_frame frame = rows->frame(rows->object, index, 0);
        asnap_page_place(&writer->page, &frame);
        return;
    }
    const char *label = rows->label(rows->object, index, buffer);
    if (kind == ASNAP_LABEL_FUNCTION)
        asnap_page_function(&writer->page, label);
    else if (kind == ASNAP_LABEL_MODULE)
        asnap_page_path(&writer->page, label);
    else if (kind == ASNAP_LABEL_THREAD)
        asnap_origin_thread(&writer->page, rows->bounds(rows->object, index));
    else if (kind == ASNAP_LABEL_TYPE)
        asnap_page_name(&writer->page, label);
    else
        write_string(writer, label);
}

/* What else there is to say of where its blocks are from. */
static void write_place(struct writer *writer, const struct asnap_statistic_diff *row, size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    enum asnap_label_kind kind = asnap_rows_key(rows)->label;
    if (kind != ASNAP_LABEL_PLACE && kind != ASNAP_LABEL_FUNCTION)
        return;
    struct asnap_frame frame = rows->frame(rows->object, index, 0);
    if (kind == ASNAP_LABEL_PLACE) {
        write_function(writer, row, &frame);
        return;
    }
    write_string(writer, ", in ");
    asnap_page_path(&writer->page, frame.filename);
}

/* " (through strdup)", or how much of it came through. */
static void write_through(struct writer *writer, const struct asnap_statistic_diff *row,
                          const struct asnap_detail *detail)
{
    if (detail->through.count == 0)
        return;
    write_string(writer, " (");
    if (detail->through.count != row->count || detail->through.size != row->size) {
        asnap_page_size(&writer->page, (int64_t)detail->through.size, false);
        write_string(writer, " ");
    }
    write_string(writer, "through ");
    if (detail->function == NULL)
        write_string(writer, "code without a name");
    else
        asnap_page_short_function(&writer->page, detail->function);
    if (detail->function_count > 1) {
        write_string(writer, " and ");
        write_number(writer, detail->function_count - 1);
        write_string(writer, detail->function_count == 2 ? " other" : " others");
    }
    write_string(writer, ")");
}

/* " (each block once: size=1.0 KiB, count=4)" */
static void write_repeated(struct writer *writer, const struct asnap_statistic_diff *row,
                           const struct asnap_detail *detail)
{
    if (detail->repeated.count == 0)
        return;
    write_string(writer, " (each block once: size=");
    asnap_page_size(&writer->page, (int64_t)(row->size - detail->repeated.size), false);
    write_string(writer, ", count=");
    write_number(writer, row->count - detail->repeated.count);
    write_string(writer, ")");
}

/* ", retained=1700 B in 21 blocks" */
static void write_retained(struct writer *writer, const char *name, uint64_t size, uint64_t count)
{
    write_string(writer, name);
    asnap_page_size(&writer->page, (int64_t)size, false);
    write_string(writer, " in ");
    write_number(writer, count);
    write_string(writer, count == 1 ? " block" : " blocks");
}

/* " (and 3.4 MiB in 5000 blocks reachable only through them)", and what is kept alive. */
static void write_beside(struct writer *writer, const struct asnap_statistic_diff *row,
                         size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    if (rows->beside == ASNAP_BESIDE_NOTHING || rows->beside == ASNAP_BESIDE_WITHIN)
        return;
    struct asnap_beside_sum sum = rows->beside_sum(rows->object, index);
    if (rows->beside == ASNAP_BESIDE_RETAINED) {
        write_retained(writer, ", retained=", sum.size, sum.count);
        if (sum.exact_count != 0)
            write_retained(writer, ", exact=", sum.exact_size, sum.exact_count);
        return;
    }
    if (sum.cycles == 1 && row->count == 1) {
        write_string(writer, ", a cycle of ");
        write_number(writer, sum.cycle_count);
        write_string(writer, " blocks");
    } else if (sum.cycles != 0) {
        write_string(writer, ", ");
        write_number(writer, sum.cycles);
        write_string(writer, sum.cycles == 1 ? " stands for a cycle of " : " stand for cycles of ");
        write_number(writer, sum.cycle_count);
        write_string(writer, " blocks");
    }
    if (sum.count == 0)
        return;
    write_string(writer, " (and ");
    asnap_page_size(&writer->page, (int64_t)sum.size, false);
    write_string(writer, " in ");
    write_number(writer, sum.count);
    write_string(writer, sum.count == 1 ? " block" : " blocks");
    write_string(writer,
                 row->count == 1 ? " reachable only through it)" : " reachable only through them)");
}

static struct asnap_error *write_detail(struct writer *writer,
                                        const struct asnap_statistic_diff *row, size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    struct asnap_detail detail;
    struct asnap_error *error = rows->detail(rows->object, index, &detail);
    /* What has vanished has no sums to compare with. */
    if (error == NULL && row->count != 0) {
        write_through(writer, row, &detail);
        write_repeated(writer, row, &detail);
    }
    return error;
}

static struct asnap_error *write_stack(struct writer *writer,
                                       const struct asnap_statistic_diff *row, size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    for (size_t i = 0; i < row->frame_count; i++) {
        struct asnap_frame frame = rows->frame(rows->object, index, i);
        struct asnap_place place = rows->place(rows->object, index, i);
        struct asnap_error *error = asnap_page_stack_frame(&writer->page, &frame, &place);
        if (error != NULL)
            return error;
    }
    asnap_page_older_frames(&writer->page, row->total_nframe, row->frame_count);
    return NULL;
}

static struct asnap_error *write_row(struct writer *writer, size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    struct asnap_statistic_diff row = rows->row(rows->object, index);
    write_string(writer, "#");
    write_number(writer, index + 1);
    write_string(writer, ": ");
    write_label(writer, index);
    write_string(writer, ": ");
    struct asnap_estimate estimates[2];
    rows->estimates(rows->object, index, estimates);
    write_sum(writer, &row, estimates);
    if (row.count != 0) {
        write_string(writer, ", average=");
        asnap_page_average(&writer->page, row.size, row.count);
    }
    write_beside(writer, &row, index);
    write_place(writer, &row, index);
    struct asnap_error *error = write_detail(writer, &row, index);
    write_string(writer, "\n");
    if (error != NULL)
        return error;
    if (rows->key == ASNAP_KEY_TRACEBACK)
        return write_stack(writer, &row, index);
    if (asnap_rows_key(rows)->label != ASNAP_LABEL_PLACE)
        return NULL;
    struct asnap_frame frame = rows->frame(rows->object, index, 0);
    return asnap_page_source(&writer->page, &frame, "    ");
}

static void write_other(struct writer *writer, size_t shown)
{
    const struct asnap_rows *rows = writer->rows;
    if (shown == rows->count)
        return;
    write_number(writer, rows->count - shown);
    write_string(writer, " other");
    if (!rows->cumulative) {
        struct asnap_estimate estimates[2];
        struct asnap_statistic_diff other = asnap_rows_other(rows, shown, estimates);
        write_string(writer, ": ");
        write_sum(writer, &other, estimates);
    }
    write_string(writer, "\n");
}

static const char *nothing(const struct asnap_rows *rows)
{
    if (rows->has_diffs)
        return "No live traced blocks in either snapshot.\n";
    switch (rows->beside) {
    case ASNAP_BESIDE_LEAKED:
        return "No leaked blocks.\n";
    case ASNAP_BESIDE_INDIRECT:
    case ASNAP_BESIDE_WITHIN:
        return "No blocks of these kinds.\n";
    default:
        return "No live traced blocks.\n";
    }
}

static struct asnap_error *write_all(struct writer *writer, size_t shown,
                                     const struct asnap_statistic_diff *unfiltered)
{
    const struct asnap_rows *rows = writer->rows;
    for (size_t i = 0; i < rows->note_count; i++)
        asnap_page_warning(&writer->page, rows->note(rows->object, i));
    if (unfiltered != NULL)
        write_filtered(writer, unfiltered);
    if (rows->count == 0) {
        write_string(writer, nothing(rows));
        return NULL;
    }
    write_header(writer, shown);
    for (size_t i = 0; i < shown; i++) {
        struct asnap_error *error = write_row(writer, i);
        if (error != NULL)
            return error;
    }
    write_other(writer, shown);
    write_string(writer, "Total: ");
    write_sum(writer, &rows->total, rows->total_estimates);
    write_string(writer, "\n");
    return NULL;
}

struct asnap_error *asnap_rows_text(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text)
{
    struct writer writer = {
        .rows = rows, .page.source_lines = options->source_lines, .page.options = options};
    struct asnap_error *error =
        write_all(&writer, asnap_rows_shown(rows, options), options->unfiltered);
    return asnap_page_finish(&writer.page, error, text);
}
