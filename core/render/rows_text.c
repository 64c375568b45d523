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

/* "size=4.1 MiB, count=2103"; with differences, as tracemalloc writes them,
 * "size=4.1 MiB (+1.2 MiB), count=2103 (+12)" */
static void write_sum(struct writer *writer, const struct asnap_statistic_diff *row)
{
    write_string(writer, "size=");
    asnap_page_size(&writer->page, (int64_t)row->size, false);
    if (writer->rows->has_diffs) {
        write_string(writer, " (");
        asnap_page_size(&writer->page, row->size_diff, true);
        write_string(writer, ")");
    }
    write_string(writer, ", count=");
    write_number(writer, row->count);
    if (writer->rows->has_diffs) {
        bool less = row->count_diff < 0;
        write_string(writer, less ? " (-" : " (+");
        write_number(writer, less ? 0 - (uint64_t)row->count_diff : (uint64_t)row->count_diff);
        write_string(writer, ")");
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
    static const char *const names[] = {
        [ASNAP_KEY_FILENAME] = " file",
        [ASNAP_KEY_LINENO] = " line",
        [ASNAP_KEY_TRACEBACK] = " traceback",
    };
    write_number(writer, count);
    write_string(writer, names[writer->rows->key]);
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
    write_string(writer, writer->rows->has_diffs ? ", by difference in size" : ", by size");
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

static struct asnap_error *write_row(struct writer *writer, size_t index)
{
    const struct asnap_rows *rows = writer->rows;
    struct asnap_statistic_diff row = rows->row(rows->object, index);
    struct asnap_frame frame = rows->frame(rows->object, index, 0);
    write_string(writer, "#");
    write_number(writer, index + 1);
    write_string(writer, ": ");
    asnap_page_place(&writer->page, &frame);
    write_string(writer, ": ");
    write_sum(writer, &row);
    if (row.count != 0) {
        write_string(writer, ", average=");
        asnap_page_average(&writer->page, row.size, row.count);
    }
    write_function(writer, &row, &frame);
    write_string(writer, "\n");
    if (rows->key != ASNAP_KEY_TRACEBACK)
        return asnap_page_source(&writer->page, &frame, "    ");
    for (size_t i = 0; i < row.frame_count; i++) {
        frame = rows->frame(rows->object, index, i);
        struct asnap_error *error = asnap_page_stack_frame(&writer->page, &frame);
        if (error != NULL)
            return error;
    }
    asnap_page_older_frames(&writer->page, row.total_nframe, row.frame_count);
    return NULL;
}

static void write_other(struct writer *writer, size_t shown)
{
    const struct asnap_rows *rows = writer->rows;
    if (shown == rows->count)
        return;
    write_number(writer, rows->count - shown);
    write_string(writer, " other");
    if (!rows->cumulative) {
        struct asnap_statistic_diff other = asnap_rows_other(rows, shown);
        write_string(writer, ": ");
        write_sum(writer, &other);
    }
    write_string(writer, "\n");
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
        write_string(writer, rows->has_diffs ? "No live traced blocks in either snapshot.\n"
                                             : "No live traced blocks.\n");
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
    write_sum(writer, &rows->total);
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
