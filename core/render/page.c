#include "page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "number_text.h"

#define SOURCE_COLUMNS 120

/* The marks of a page, or none. */
static const struct asnap_render_marks *marks_of(const struct asnap_page *page)
{
    static const struct asnap_render_marks none = {"", "", "", "", "", "", "", ""};
    return page->options == NULL || page->options->marks == NULL ? &none : page->options->marks;
}

/* Writes a piece that needs no escapes, between its mark and the end of it. */
static void write_marked(struct asnap_page *page, const char *mark, const char *piece)
{
    asnap_page_string(page, mark);
    asnap_page_string(page, piece);
    asnap_page_string(page, marks_of(page)->end);
}

void asnap_page_string(struct asnap_page *page, const char *string)
{
    asnap_text_string(&page->text, string);
}

void asnap_page_number(struct asnap_page *page, uint64_t number)
{
    asnap_text_number(&page->text, number);
}

void asnap_page_address(struct asnap_page *page, uint64_t address)
{
    char number[ASNAP_NUMBER_SIZE];
    snprintf(number, sizeof(number), "0x%" PRIx64, address);
    write_marked(page, marks_of(page)->address, number);
}

void asnap_page_size(struct asnap_page *page, int64_t size, bool sign)
{
    char number[ASNAP_NUMBER_SIZE];
    asnap_format_size(size, sign, number, sizeof(number));
    write_marked(page, marks_of(page)->size, number);
}

void asnap_page_average(struct asnap_page *page, uint64_t size, uint64_t count)
{
    char average[ASNAP_NUMBER_SIZE];
    asnap_format_average(size, count, average);
    write_marked(page, marks_of(page)->size, average);
}

void asnap_page_part(struct asnap_page *page, uint64_t count, uint64_t size, uint64_t all_count,
                     uint64_t all_size)
{
    asnap_page_number(page, count);
    asnap_page_string(page, " of ");
    asnap_page_number(page, all_count);
    asnap_page_string(page, all_count == 1 ? " block (" : " blocks (");
    asnap_page_size(page, (int64_t)size, false);
    asnap_page_string(page, " of ");
    asnap_page_size(page, (int64_t)all_size, false);
    asnap_page_string(page, ")");
}

void asnap_page_name(struct asnap_page *page, const char *name)
{
    asnap_text_name(&page->text, name);
}

void asnap_page_type(struct asnap_page *page, const char *name)
{
    asnap_page_string(page, marks_of(page)->name);
    asnap_page_name(page, name);
    asnap_page_string(page, marks_of(page)->end);
}

static void write_function(struct asnap_page *page, const char *name)
{
    asnap_page_string(page, marks_of(page)->function);
    asnap_page_name(page, name);
    asnap_page_string(page, marks_of(page)->end);
}

void asnap_page_function(struct asnap_page *page, const char *name)
{
    if (page->options != NULL && page->options->short_names)
        asnap_page_short_function(page, name);
    else
        write_function(page, name);
}

void asnap_page_short_function(struct asnap_page *page, const char *name)
{
    char *shortened = NULL;
    struct asnap_error *error = asnap_short_function(name, &shortened);
    if (error == NULL)
        write_function(page, shortened);
    else
        page->text.failed = true;
    free(shortened);
    asnap_error_destroy(error);
}

/* Notes that the text from `offset` on is a path. */
static void note_path(struct asnap_page *page, size_t offset)
{
    if (page->options == NULL || !page->options->short_paths || page->text.failed)
        return;
    if (page->span_count == page->span_capacity) {
        size_t capacity = page->span_capacity * 2 + 32;
        struct asnap_path_span *spans = reallocarray(page->spans, capacity, sizeof(*spans));
        page->text.failed = spans == NULL;
        if (spans == NULL)
            return;
        page->spans = spans;
        page->span_capacity = capacity;
    }
    page->spans[page->span_count++] =
        (struct asnap_path_span){.offset = offset, .length = page->text.length - offset};
}

void asnap_page_path(struct asnap_page *page, const char *path)
{
    asnap_page_string(page, marks_of(page)->file);
    size_t offset = page->text.length;
    asnap_page_name(page, path);
    note_path(page, offset);
    asnap_page_string(page, marks_of(page)->end);
}

void asnap_page_place(struct asnap_page *page, const struct asnap_frame *frame)
{
    asnap_page_path(page, frame->filename);
    asnap_page_string(page, ":");
    asnap_page_number(page, frame->lineno);
}

struct asnap_error *asnap_page_source(struct asnap_page *page, const struct asnap_frame *frame,
                                      const char *indent)
{
    const char *line = NULL;
    size_t length = 0;
    if (!page->source_lines)
        return NULL;
    char *moved = NULL;
    struct asnap_error *error = asnap_moved_path(page->options, frame->filename, &moved);
    if (error == NULL)
        error = asnap_source_line(&page->sources, moved != NULL ? moved : frame->filename,
                                  frame->lineno, &line, &length);
    free(moved);
    if (error == NULL && line != NULL) {
        asnap_page_string(page, indent);
        asnap_page_string(page, marks_of(page)->source);
        asnap_text_excerpt(&page->text, line, length, SOURCE_COLUMNS);
        asnap_page_string(page, marks_of(page)->end);
        asnap_page_string(page, "\n");
    }
    return error;
}

struct asnap_error *asnap_page_stack_frame(struct asnap_page *page, const struct asnap_frame *frame,
                                           const struct asnap_place *place)
{
    asnap_page_string(page, "    at ");
    asnap_page_place(page, frame);
    if (frame->function != NULL) {
        asnap_page_string(page, " in ");
        asnap_page_function(page, frame->function);
    }
    if (frame->named_by == ASNAP_NAMED_NONE && place->offset != 0) {
        asnap_page_string(page, " (at ");
        asnap_page_address(page, place->offset);
        asnap_page_string(page, ")");
    }
    asnap_page_string(page, frame->inlined ? " (inlined)\n" : "\n");
    return asnap_page_source(page, frame, "        ");
}

void asnap_page_older_frames(struct asnap_page *page, uint32_t total_nframe, size_t frame_count)
{
    bool is_counted = total_nframe != ASNAP_TOTAL_UNKNOWN;
    uint64_t count = is_counted ? total_nframe - frame_count : 0;
    if (is_counted && count == 0)
        return;
    asnap_page_string(page, "    ");
    asnap_page_string(page, marks_of(page)->note);
    asnap_page_string(page, "... ");
    if (is_counted)
        asnap_page_number(page, count);
    asnap_page_string(page, !is_counted  ? "older frames not counted"
                            : count == 1 ? " older frame beyond the limit"
                                         : " older frames beyond the limit");
    asnap_page_string(page, marks_of(page)->end);
    asnap_page_string(page, "\n");
}

void asnap_page_warning(struct asnap_page *page, const char *note)
{
    asnap_page_string(page, "warning: ");
    asnap_text_sentence(&page->text, note);
    asnap_page_string(page, "\n");
}

struct asnap_error *asnap_page_finish(struct asnap_page *page, struct asnap_error *error,
                                      char **text)
{
    asnap_source_cache_deinit(&page->sources);
    bool is_whole = error == NULL && !page->text.failed;
    if (is_whole && page->span_count > 0)
        error = asnap_shorten_paths(page->text.bytes, page->text.length, page->spans,
                                    page->span_count, text);
    bool is_done = is_whole && page->span_count > 0;
    free(page->spans);
    if (error != NULL || is_done) {
        asnap_text_deinit(&page->text);
        return error;
    }
    return asnap_text_finish(&page->text, text);
}
