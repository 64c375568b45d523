/* Statistics of a snapshot, and differences of two. */
#ifndef ALLOCSNAP_STATISTICS_H
#define ALLOCSNAP_STATISTICS_H

#include "allocsnap_snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What to group by (tracemalloc's key_type). */
enum asnap_key {
    ASNAP_KEY_FILENAME,
    ASNAP_KEY_LINENO,
    ASNAP_KEY_TRACEBACK,
};

/* One group. */
struct asnap_statistic {
    uint64_t size;           /* bytes in its blocks */
    uint64_t count;          /* its blocks */
    size_t frame_count;      /* frames of its traceback: 1, or any number by traceback */
    uint32_t total_nframe;   /* by traceback as in asnap_traceback; else frame_count */
    uint32_t function_count; /* distinct known functions of its most recent frames, or of all
                                its frames where cumulative */
};

struct asnap_statistics;

/* Groups the traces of a snapshot, largest first: by size, count, traceback,
 * descending (tracemalloc.Snapshot.statistics). `cumulative` counts a trace once
 * for each of its frames, in the group of that frame (a recursive function
 * several times), and goes by file or line only (INVALID_ARGUMENT by traceback,
 * and where that makes a group larger than INT64_MAX). Keeps what it needs: the
 * snapshot may be destroyed first. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_statistics_create(const struct asnap_snapshot *snapshot, enum asnap_key key, bool cumulative,
                        struct asnap_statistics **statistics);
ASNAP_API void asnap_statistics_destroy(struct asnap_statistics *statistics);
ASNAP_API size_t asnap_statistics_count(const struct asnap_statistics *statistics);

/* Row `index`, below asnap_statistics_count. */
ASNAP_API struct asnap_statistic asnap_statistics_row(const struct asnap_statistics *statistics,
                                                      size_t index);

/* Rows `first` to `first + count - 1`, copied to `rows`. */
ASNAP_API void asnap_statistics_rows(const struct asnap_statistics *statistics, size_t first,
                                     size_t count, struct asnap_statistic *rows);

/* Frame `frame` of row `index`, 0 being the most recent. By file, lineno is 0 and
 * function NULL, as in tracemalloc. By line, the function is the one that holds
 * most bytes of the group. */
ASNAP_API struct asnap_frame asnap_statistics_frame(const struct asnap_statistics *statistics,
                                                    size_t index, size_t frame);

/* All frames of row `index`, as many as its frame_count, copied to `frames`. */
ASNAP_API void asnap_statistics_frames(const struct asnap_statistics *statistics, size_t index,
                                       struct asnap_frame *frames);

/* Bytes and blocks of the snapshot they were made from (each trace once). */
ASNAP_API uint64_t asnap_statistics_total_size(const struct asnap_statistics *statistics);
ASNAP_API uint64_t asnap_statistics_total_count(const struct asnap_statistics *statistics);
ASNAP_API enum asnap_key asnap_statistics_key(const struct asnap_statistics *statistics);
ASNAP_API bool asnap_statistics_cumulative(const struct asnap_statistics *statistics);
ASNAP_API size_t asnap_statistics_note_count(const struct asnap_statistics *statistics);
ASNAP_API const char *asnap_statistics_note(const struct asnap_statistics *statistics,
                                            size_t index);

/* ---- differences ---- */

/* One group of two snapshots (tracemalloc's StatisticDiff). */
struct asnap_statistic_diff {
    uint64_t size; /* bytes in its blocks of the new snapshot; 0 where it has vanished */
    uint64_t count;
    int64_t size_diff; /* what the new snapshot has more than the old one */
    int64_t count_diff;
    size_t frame_count; /* as in asnap_statistic */
    uint32_t total_nframe;
    uint32_t function_count; /* in the new snapshot; in the old one where it has vanished */
};

struct asnap_diff;

/* Compares two snapshots, of whatever origin, group by group (tracemalloc:
 * new_snapshot.compare_to(old_snapshot)): every group of either, by |size_diff|,
 * size, |count_diff|, count, traceback, descending. `key` and `cumulative` are
 * those of asnap_statistics_create. The snapshots may be destroyed first. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_diff_create(const struct asnap_snapshot *new_snapshot,
                  const struct asnap_snapshot *old_snapshot, enum asnap_key key, bool cumulative,
                  struct asnap_diff **diff);
ASNAP_API void asnap_diff_destroy(struct asnap_diff *diff);
ASNAP_API size_t asnap_diff_count(const struct asnap_diff *diff);

/* Row `index`, below asnap_diff_count, and its frames: those of the new snapshot
 * where it has the group. */
ASNAP_API struct asnap_statistic_diff asnap_diff_row(const struct asnap_diff *diff, size_t index);
ASNAP_API struct asnap_frame asnap_diff_frame(const struct asnap_diff *diff, size_t index,
                                              size_t frame);

/* As asnap_statistics_rows and asnap_statistics_frames. */
ASNAP_API void asnap_diff_rows(const struct asnap_diff *diff, size_t first, size_t count,
                               struct asnap_statistic_diff *rows);
ASNAP_API void asnap_diff_frames(const struct asnap_diff *diff, size_t index,
                                 struct asnap_frame *frames);

/* The whole snapshots as one row without a frame (each trace once). */
ASNAP_API struct asnap_statistic_diff asnap_diff_total(const struct asnap_diff *diff);
ASNAP_API enum asnap_key asnap_diff_key(const struct asnap_diff *diff);
ASNAP_API bool asnap_diff_cumulative(const struct asnap_diff *diff);

/* The notes of both snapshots; they say which where the two were taken apart. */
ASNAP_API size_t asnap_diff_note_count(const struct asnap_diff *diff);
ASNAP_API const char *asnap_diff_note(const struct asnap_diff *diff, size_t index);

#ifdef __cplusplus
}
#endif

#endif
