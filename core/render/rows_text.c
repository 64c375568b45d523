#include "number_text.h"
#include "rows.h"
#include "source_line.h"
#include "text_buffer.h"

#define SOURCE_COLUMNS 120

struct writer {
    const struct asnap_rows *rows;
    bool source_lines;
    struct asnap_text text;
    struct asnap_source_cache sources;
};

static void write_string(struct writer *writer, const char *string)
{
    asnap_text_string(&writer->text, string);
}

static void write_number(struct writer *writer, uint64_t number)
{
    asnap_text_number(&writer->text, number);
}

static void write_size(struct writer *writer, int64_t size, bool sign)
{
    char number[ASNAP_NUMBER_SIZE];
    asnap_format_size(size, sign, number, sizeof(number));
    write_string(writer, number);
}

/* "size=4.1 MiB, count=2103"; with differences, as tracemalloc writes them,
 * "size=4.1 MiB (+1.2 MiB), count=2103 (+12)" */
static void write_sum(struct writer *writer, const struct asnap_statistic_diff *row)
{
    write_string(writer, "size=");
    write_size(writer, (int64_t)row->size, false);
    if (writer->rows->has_diffs) {
        write_string(writer, " (");
        write_size(writer, row->size_diff, true);
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

/* "FILE:LINE", as tracemalloc writes a frame. */
static void write_place(struct writer *writer, const struct asnap_frame *frame)
{
    asnap_text_name(&writer->text, frame->filename);
    write_string(writer, ":");
    write_number(writer, frame->lineno);
}

static struct asnap_error *write_source(struct writer *writer, const struct asnap_frame *frame,
                                        const char *indent)
{
    const char *line = NULL;
    size_t length = 0;
    if (!writer->source_lines)
        return NULL;
    struct asnap_error *error =
        asnap_source_line(&writer->sources, frame->filename, frame->lineno, &line, &length);
    if (error == NULL && line != NULL) {
        write_string(writer, indent);
        asnap_text_excerpt(&writer->text, line, length, SOURCE_COLUMNS);
        write_string(writer, "\n");
    }
    return error;
}

static struct asnap_error *write_stack(struct writer *writer, size_t index,
                                       const struct asnap_statistic_diff *row)
{
    for (size_t i = 0; i < row->frame_count; i++) {
        struct asnap_frame frame = writer->rows->frame(writer->rows->object, index, i);
        write_string(writer, "    at ");
        write_place(writer, &frame);
        if (frame.function != NULL) {
            write_string(writer, " in ");
            asnap_text_name(&writer->text, frame.function);
        }
        write_string(writer, frame.inlined ? " (inlined)\n" : "\n");
        struct asnap_error *error = write_source(writer, &frame, "        ");
        if (error != NULL)
            return error;
    }
    if (row->total_nframe > row->frame_count) {
        size_t left_out = row->total_nframe - row->frame_count;
        write_string(writer, "    ... ");
        write_number(writer, left_out);
        write_string(writer, left_out == 1 ? " older frame beyond the limit\n"
                                           : " older frames beyond the limit\n");
    }
    return NULL;
}

static void write_function(struct writer *writer, const struct asnap_statistic_diff *row,
                           const struct asnap_frame *frame)
{
    if (frame->function == NULL)
        return;
    write_string(writer, ", in ");
    asnap_text_name(&writer->text, frame->function);
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
    write_place(writer, &frame);
    write_string(writer, ": ");
    write_sum(writer, &row);
    if (row.count != 0) {
        char average[ASNAP_NUMBER_SIZE];
        asnap_format_average(row.size, row.count, average);
        write_string(writer, ", average=");
        write_string(writer, average);
    }
    write_function(writer, &row, &frame);
    write_string(writer, "\n");
    if (rows->key == ASNAP_KEY_TRACEBACK)
        return write_stack(writer, index, &row);
    return write_source(writer, &frame, "    ");
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

static struct asnap_error *write_all(struct writer *writer, size_t shown)
{
    const struct asnap_rows *rows = writer->rows;
    for (size_t i = 0; i < rows->note_count; i++) {
        write_string(writer, "warning: ");
        asnap_text_name(&writer->text, rows->note(rows->object, i));
        write_string(writer, "\n");
    }
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
    struct writer writer = {.rows = rows, .source_lines = options->source_lines};
    struct asnap_error *error = write_all(&writer, asnap_rows_shown(rows, options));
    asnap_source_cache_deinit(&writer.sources);
    if (error != NULL) {
        asnap_text_deinit(&writer.text);
        return error;
    }
    return asnap_text_finish(&writer.text, text);
}
