#include "number_text.h"
#include "rows.h"
#include "text_buffer.h"

/* Writes `name` as it stands: with its comma, quotes and colon. */
static void write_field(struct asnap_text *text, const char *name, uint64_t number)
{
    asnap_text_string(text, name);
    asnap_text_number(text, number);
}

static void write_frame(struct asnap_text *text, const struct asnap_frame *frame)
{
    asnap_text_string(text, "{\"filename\":");
    asnap_text_json_string(text, frame->filename);
    write_field(text, ",\"lineno\":", frame->lineno);
    asnap_text_string(text, ",\"function\":");
    asnap_text_json_string(text, frame->function);
    asnap_text_string(text, frame->inlined ? ",\"inlined\":true}" : ",\"inlined\":false}");
}

static void write_row(struct asnap_text *text, const struct asnap_rows *rows, size_t index)
{
    struct asnap_statistic row = rows->row(rows->object, index);
    char average[ASNAP_NUMBER_SIZE];
    asnap_format_ratio(row.size, row.count, average);
    write_field(text, "{\"size\":", row.size);
    write_field(text, ",\"count\":", row.count);
    asnap_text_string(text, ",\"average\":");
    asnap_text_string(text, average);
    asnap_text_string(text, ",\"traceback\":[");
    for (size_t i = 0; i < row.frame_count; i++) {
        struct asnap_frame frame = rows->frame(rows->object, index, i);
        if (i != 0)
            asnap_text_string(text, ",");
        write_frame(text, &frame);
    }
    write_field(text, "],\"total_nframe\":", row.total_nframe);
    write_field(text, ",\"functions\":", row.function_count);
    asnap_text_string(text, "}");
}

static void write_other(struct asnap_text *text, const struct asnap_rows *rows, size_t shown)
{
    if (shown == rows->count || rows->cumulative)
        return;
    uint64_t size = rows->total_size;
    uint64_t count = rows->total_count;
    for (size_t i = 0; i < shown; i++) {
        struct asnap_statistic row = rows->row(rows->object, i);
        size -= row.size;
        count -= row.count;
    }
    write_field(text, ",\"other\":{\"rows\":", rows->count - shown);
    write_field(text, ",\"size\":", size);
    write_field(text, ",\"count\":", count);
    asnap_text_string(text, "}");
}

struct asnap_error *asnap_rows_json(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text)
{
    static const char *const keys[] = {
        [ASNAP_KEY_FILENAME] = "filename",
        [ASNAP_KEY_LINENO] = "lineno",
        [ASNAP_KEY_TRACEBACK] = "traceback",
    };
    struct asnap_text json = {0};
    size_t shown = asnap_rows_shown(rows, options);
    asnap_text_string(&json, "{\"key\":");
    asnap_text_json_string(&json, keys[rows->key]);
    asnap_text_string(&json, rows->cumulative ? ",\"cumulative\":true" : ",\"cumulative\":false");
    asnap_text_string(&json, ",\"statistics\":[");
    for (size_t i = 0; i < shown; i++) {
        if (i != 0)
            asnap_text_string(&json, ",");
        write_row(&json, rows, i);
    }
    write_field(&json, "],\"rows\":", rows->count);
    write_other(&json, rows, shown);
    write_field(&json, ",\"total\":{\"size\":", rows->total_size);
    write_field(&json, ",\"count\":", rows->total_count);
    asnap_text_string(&json, "},\"notes\":[");
    for (size_t i = 0; i < rows->note_count; i++) {
        if (i != 0)
            asnap_text_string(&json, ",");
        asnap_text_json_string(&json, rows->note(rows->object, i));
    }
    asnap_text_string(&json, "]}\n");
    return asnap_text_finish(&json, text);
}
