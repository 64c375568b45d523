/* Text for people: lines, frames and the source lines under them. */
#ifndef ASNAP_RENDER_PAGE_H
#define ASNAP_RENDER_PAGE_H

#include "shown_names.h"
#include "source_line.h"
#include "text_buffer.h"

/* All zero is an empty page. */
struct asnap_page {
    struct asnap_text text;
    struct asnap_source_cache sources;
    bool source_lines; /* show the source line where its file can be read */
    const struct asnap_render_options *options; /* NULL: none of them */
    struct asnap_path_span *spans;              /* the paths in the text, to be cut */
    size_t span_count;
    size_t span_capacity;
};

void asnap_page_string(struct asnap_page *page, const char *string);
void asnap_page_number(struct asnap_page *page, uint64_t number);
void asnap_page_address(struct asnap_page *page, uint64_t address);
void asnap_page_size(struct asnap_page *page, int64_t size, bool sign);

/* Of `count` blocks, which is not 0. */
void asnap_page_average(struct asnap_page *page, uint64_t size, uint64_t count);

/* "12 of 340 blocks (1.2 KiB of 4.0 MiB)": what filters have left. */
void asnap_page_part(struct asnap_page *page, uint64_t count, uint64_t size, uint64_t all_count,
                     uint64_t all_size);

/* A name from outside: it is written as a terminal may get it. */
void asnap_page_name(struct asnap_page *page, const char *name);

/* The name of a type, which may be cut where the page is for a terminal. */
void asnap_page_type(struct asnap_page *page, const char *name);

/* The name of a function; or its short form, however names are to be shown. */
void asnap_page_function(struct asnap_page *page, const char *name);
void asnap_page_short_function(struct asnap_page *page, const char *name);

/* The path of a file, which may be shown short. */
void asnap_page_path(struct asnap_page *page, const char *path);

/* "FILE:LINE", as tracemalloc writes a frame. */
void asnap_page_place(struct asnap_page *page, const struct asnap_frame *frame);

/* The frame's source line on a line of its own, where there is one to show. Fails
 * with NO_MEMORY only. */
struct asnap_error *asnap_page_source(struct asnap_page *page, const struct asnap_frame *frame,
                                      const char *indent);

/* A frame of a stack on lines of its own: where it is, for a function without a name the offset
 * of the call, and its source line. */
struct asnap_error *asnap_page_stack_frame(struct asnap_page *page, const struct asnap_frame *frame,
                                           const struct asnap_place *place);

/* What follows the `frame_count` frames of a stack that had `total_nframe`, or
 * ASNAP_TOTAL_UNKNOWN. */
void asnap_page_older_frames(struct asnap_page *page, uint32_t total_nframe, size_t frame_count);

/* A line that says what is missing. */
void asnap_page_warning(struct asnap_page *page, const char *note);

/* Hands the text over, terminated, unless `error` or the page has failed; returns
 * what has. */
struct asnap_error *asnap_page_finish(struct asnap_page *page, struct asnap_error *error,
                                      char **text);

#endif
