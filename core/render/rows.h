/* Rows to show, from whichever object they come. */
#ifndef ASNAP_RENDER_ROWS_H
#define ASNAP_RENDER_ROWS_H

#include "error.h"

struct asnap_rows {
    const void *object;
    enum asnap_key key;
    bool cumulative;
    size_t count;
    struct asnap_statistic (*row)(const void *object, size_t index);
    struct asnap_frame (*frame)(const void *object, size_t index, size_t frame);
    uint64_t total_size;
    uint64_t total_count;
    size_t note_count;
    const char *(*note)(const void *object, size_t index);
};

/* How many of the rows are shown. */
static inline size_t asnap_rows_shown(const struct asnap_rows *rows,
                                      const struct asnap_render_options *options)
{
    return options->limit == 0 || options->limit > rows->count ? rows->count : options->limit;
}

struct asnap_error *asnap_rows_text(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text);

struct asnap_error *asnap_rows_json(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text);

#endif
