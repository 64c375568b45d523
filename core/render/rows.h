/* Rows to show, from whichever object they come. */
#ifndef ASNAP_RENDER_ROWS_H
#define ASNAP_RENDER_ROWS_H

#include "error.h"

struct asnap_rows {
    const void *object;
    enum asnap_key key;
    bool cumulative;
    bool has_diffs; /* else size_diff and count_diff mean nothing and are not shown */
    size_t count;
    struct asnap_statistic_diff (*row)(const void *object, size_t index);
    struct asnap_frame (*frame)(const void *object, size_t index, size_t frame);
    struct asnap_place (*place)(const void *object, size_t index, size_t frame);
    const char *(*label)(const void *object, size_t index, char buffer[ASNAP_LABEL_SIZE]);
    struct asnap_bounds (*bounds)(const void *object, size_t index);
    struct asnap_error *(*detail)(const void *object, size_t index, struct asnap_detail *detail);
    enum asnap_beside beside;
    struct asnap_beside_sum (*beside_sum)(const void *object,
                                          size_t index); /* where beside is something */
    struct asnap_statistic_diff total;
    uint64_t
        sample_periods[2]; /* asnap_diff_sample_periods; without differences the first counts */
    void (*estimates)(const void *object, size_t index, struct asnap_estimate estimates[2]);
    struct asnap_estimate total_estimates[2];
    size_t note_count;
    const char *(*note)(const void *object, size_t index);
};

static inline const struct asnap_key_description *asnap_rows_key(const struct asnap_rows *rows)
{
    return asnap_key_describe(rows->key);
}

/* How many of the rows are shown. */
static inline size_t asnap_rows_shown(const struct asnap_rows *rows,
                                      const struct asnap_render_options *options)
{
    return options->limit == 0 || options->limit > rows->count ? rows->count : options->limit;
}

/* Whether there is a sample. */
static inline bool asnap_rows_estimated(const struct asnap_rows *rows)
{
    return rows->sample_periods[0] != 0 || rows->sample_periods[1] != 0;
}

/* The standard error of the difference of two sizes. */
double asnap_rows_error(const struct asnap_estimate estimates[2]);

/* What the rows after the first `shown` sum to, and what is known of that. Means nothing where
 * cumulative: a block is in many rows then. */
struct asnap_statistic_diff asnap_rows_other(const struct asnap_rows *rows, size_t shown,
                                             struct asnap_estimate estimates[2]);

struct asnap_error *asnap_rows_text(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text);

struct asnap_error *asnap_rows_json(const struct asnap_rows *rows,
                                    const struct asnap_render_options *options, char **text);

#endif
