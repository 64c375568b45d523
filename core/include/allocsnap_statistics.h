/* Statistics of a snapshot, and differences of two. */
#ifndef ALLOCSNAP_STATISTICS_H
#define ALLOCSNAP_STATISTICS_H

#include "allocsnap_graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What to group by. The first three are tracemalloc's key_type. */
enum asnap_key {
    ASNAP_KEY_FILENAME,
    ASNAP_KEY_LINENO,
    ASNAP_KEY_TRACEBACK,
    ASNAP_KEY_FUNCTION, /* of the frame: functions of one name in different files are different */
    ASNAP_KEY_MODULE,   /* the program or library that the frame's code is in */
    ASNAP_KEY_THREAD,   /* that asked for the block, by the kernel's number */
    ASNAP_KEY_AGE,      /* of the block, in steps: how long before the newest one of the snapshot */
    ASNAP_KEY_SIZE,     /* of the block, in powers of two */
    ASNAP_KEY_TYPE,  /* the class of the C++ object in the block (asnap_vtable_list_name), else its
                        size, in powers of two */
    ASNAP_KEY_OWNER, /* the variable or class that leads to the block first (asnap_owner_list_name)
                      */
};

/* What a row is called by. */
enum asnap_label_kind {
    ASNAP_LABEL_PLACE,    /* file and line of its most recent frame */
    ASNAP_LABEL_FUNCTION, /* a function's name; its frame has the file */
    ASNAP_LABEL_MODULE,   /* a path */
    ASNAP_LABEL_THREAD,   /* a kernel thread number; there is no frame */
    ASNAP_LABEL_RANGE,    /* a range of numbers; there is no frame */
    ASNAP_LABEL_TYPE,     /* the name of a class or owner; there is no frame */
};

struct asnap_key_description {
    const char *name;  /* what a user types: "lineno" */
    const char *noun;  /* what one row is: "line" */
    const char *means; /* the same to who has not met it: "a source line" */
    enum asnap_label_kind label;
    bool has_cumulative; /* a block can count for each frame of its stack */
};

/* NULL: there is no such key. The keys are the numbers from 0 up to that. */
ASNAP_API const struct asnap_key_description *asnap_key_describe(enum asnap_key key);

/* One group. Of a sample, sizes and counts are estimates, here and below (asnap_estimate). */
struct asnap_statistic {
    uint64_t size;           /* bytes in its blocks */
    uint64_t count;          /* its blocks */
    size_t frame_count;      /* frames of its traceback: any number by traceback; 0 by thread,
                                age, size, type and owner; else 1 */
    uint32_t total_nframe;   /* by traceback as in asnap_traceback; else frame_count */
    uint32_t function_count; /* distinct known functions of its most recent frames, or of all
                                its frames where cumulative; 0 where it has no frame */
};

/* Bytes and blocks. */
struct asnap_sum {
    uint64_t size;
    uint64_t count;
};

/* What the blocks of a row have in common where that is a number. */
struct asnap_bounds {
    uint64_t from;   /* by thread: its number, 0 where unknown; by age: seconds; by size: bytes */
    uint64_t below;  /* by age and size: it is less; UINT64_MAX: no bound; 0: unknown */
    uint32_t thread; /* by thread: its place among the snapshot's threads */
};

/* What there is to say of a row beside its numbers. */
struct asnap_detail {
    /* Where cumulative: what the row counts of blocks that it has counted already, of stacks
     * with several frames in the group. */
    struct asnap_sum repeated;
    /* Else, by the keys of frames: those of its blocks that frames were passed over for
     * (asnap_snapshot_skip). The oldest of these frames, which the row's own frame called, is
     * in `function` for most of the bytes: the name that programs call where it is the C
     * library's; NULL where that is not known, or where there are none. It lives as long as the
     * statistics. */
    struct asnap_sum through;
    const char *function;
    uint32_t function_count; /* such functions */
};

struct asnap_statistics;

/* Groups the traces of a snapshot, largest first: by size, count, traceback,
 * descending (tracemalloc.Snapshot.statistics). `cumulative` counts a trace once
 * for each of its frames, in the group of that frame (a recursive function
 * several times), and goes by the keys that have it only (else INVALID_ARGUMENT, and
 * where that makes a group larger than INT64_MAX). By thread, age and size it takes
 * passes over all blocks, else over what those of a stack sum to. Keeps what it needs:
 * the snapshot may be destroyed first. */
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
 * function NULL, as in tracemalloc, and by module too, whose path is the file name. By
 * line, the function is the one that holds most bytes of the group. By function, lineno
 * is 0. */
ASNAP_API struct asnap_frame asnap_statistics_frame(const struct asnap_statistics *statistics,
                                                    size_t index, size_t frame);

/* All frames of row `index`, as many as its frame_count, copied to `frames`. */
ASNAP_API void asnap_statistics_frames(const struct asnap_statistics *statistics, size_t index,
                                       struct asnap_frame *frames);

/* Where the code of frame `frame` of row `index` lies, and of all its frames: by line and by
 * function that of the frame that holds most. Nothing is known by file, and no offset by
 * module. */
ASNAP_API struct asnap_place asnap_statistics_place(const struct asnap_statistics *statistics,
                                                    size_t index, size_t frame);
ASNAP_API void asnap_statistics_places(const struct asnap_statistics *statistics, size_t index,
                                       struct asnap_place *places);

/* What row `index` is called where its key's label is not PLACE: the name of a function or the
 * path of a module, or "<unknown>", "thread 4711", "1 s to < 10 s". It is in `buffer`, or lives as
 * long as the statistics. */
#define ASNAP_LABEL_SIZE 64
ASNAP_API const char *asnap_statistics_label(const struct asnap_statistics *statistics,
                                             size_t index, char buffer[ASNAP_LABEL_SIZE]);

/* The numbers of row `index` where its key's label is THREAD or RANGE. */
ASNAP_API struct asnap_bounds asnap_statistics_bounds(const struct asnap_statistics *statistics,
                                                      size_t index);

/* What there is to say of row `index` beside its numbers. It is worked out for all rows when
 * it is asked for first; fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_statistics_detail(const struct asnap_statistics *statistics, size_t index,
                        struct asnap_detail *detail);

/* The blocks of row `index` of statistics that are not cumulative, as a snapshot; `snapshot` is
 * what they were made from. Fails with NO_MEMORY, or INVALID_ARGUMENT where there is no such row.
 */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_statistics_blocks(const struct asnap_statistics *statistics,
                        const struct asnap_snapshot *snapshot, size_t index,
                        struct asnap_snapshot **blocks);

/* What is known of the size and count of row `index`, and of the snapshot they were made from, and
 * the period of its sample (asnap_snapshot_sample_period). */
ASNAP_API struct asnap_estimate asnap_statistics_estimate(const struct asnap_statistics *statistics,
                                                          size_t index);
ASNAP_API struct asnap_estimate
asnap_statistics_total_estimate(const struct asnap_statistics *statistics);
ASNAP_API uint64_t asnap_statistics_sample_period(const struct asnap_statistics *statistics);

/* Bytes and blocks of the snapshot they were made from (each trace once). */
ASNAP_API uint64_t asnap_statistics_total_size(const struct asnap_statistics *statistics);
ASNAP_API uint64_t asnap_statistics_total_count(const struct asnap_statistics *statistics);
ASNAP_API enum asnap_key asnap_statistics_key(const struct asnap_statistics *statistics);
ASNAP_API bool asnap_statistics_cumulative(const struct asnap_statistics *statistics);
ASNAP_API size_t asnap_statistics_note_count(const struct asnap_statistics *statistics);
ASNAP_API const char *asnap_statistics_note(const struct asnap_statistics *statistics,
                                            size_t index);

/* What a graph tells of the blocks of a row, beside what they hold themselves. */
enum asnap_beside {
    ASNAP_BESIDE_NOTHING,
    ASNAP_BESIDE_INDIRECT, /* of definite blocks: what is reachable only through them */
    ASNAP_BESIDE_LEAKED,   /* the same, of rows of which all blocks have leaked */
    ASNAP_BESIDE_RETAINED, /* what they keep alive, themselves too: the sum over those of them that
                              no other block of the row dominates */
    ASNAP_BESIDE_WITHIN, /* as INDIRECT, of rows that may hold those blocks as well: text tells the
                            cycles alone, so that no block is told of twice */
};

struct asnap_beside_sum {
    uint64_t size;
    uint64_t count;
    uint64_t cycles;      /* not of RETAINED: blocks of the row that stand for a cycle */
    uint64_t cycle_count; /* blocks on these cycles */
    uint64_t exact_size;  /* after asnap_statistics_add_exact: what would become unreachable without
                             all blocks of the row */
    uint64_t exact_count; /* 0: not computed; else the row's own blocks are among it */
};

/* Adds that to statistics that are not cumulative; `snapshot` is what they were made from, and
 * `graph` that of its blocks, for RETAINED after asnap_graph_retain. The notes of the graph come
 * before the others then, and by RETAINED the rows that retain most come first. Once at most.
 * Fails with NO_MEMORY or INVALID_ARGUMENT, and with UNSUPPORTED for RETAINED of a sample; then
 * only asnap_statistics_destroy may follow. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_statistics_add_graph(struct asnap_statistics *statistics,
                           const struct asnap_snapshot *snapshot, const struct asnap_graph *graph,
                           enum asnap_beside kind);
/* Adds the exact sums of the first `row_count` rows (0: of all) to statistics that have RETAINED,
 * of the same snapshot and graph (asnap_graph_retained_exactly). Fails with NO_MEMORY, INTERRUPTED
 * or INVALID_ARGUMENT, and leaves the statistics as they were. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_statistics_add_exact(struct asnap_statistics *statistics,
                           const struct asnap_snapshot *snapshot, const struct asnap_graph *graph,
                           size_t row_count, const struct asnap_progress *progress);
ASNAP_API enum asnap_beside asnap_statistics_beside(const struct asnap_statistics *statistics);
ASNAP_API struct asnap_beside_sum
asnap_statistics_beside_sum(const struct asnap_statistics *statistics, size_t index);

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

/* As asnap_statistics_place, _places, _rows and _frames. */
ASNAP_API struct asnap_place asnap_diff_place(const struct asnap_diff *diff, size_t index,
                                              size_t frame);
ASNAP_API void asnap_diff_places(const struct asnap_diff *diff, size_t index,
                                 struct asnap_place *places);
ASNAP_API void asnap_diff_rows(const struct asnap_diff *diff, size_t first, size_t count,
                               struct asnap_statistic_diff *rows);
ASNAP_API void asnap_diff_frames(const struct asnap_diff *diff, size_t index,
                                 struct asnap_frame *frames);

/* As asnap_statistics_label, _bounds and _detail, of the snapshot that gives the frames. The
 * thread's place is UINT32_MAX where the new snapshot does not have the group. */
ASNAP_API const char *asnap_diff_label(const struct asnap_diff *diff, size_t index,
                                       char buffer[ASNAP_LABEL_SIZE]);
ASNAP_API struct asnap_bounds asnap_diff_bounds(const struct asnap_diff *diff, size_t index);
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_diff_detail(const struct asnap_diff *diff, size_t index, struct asnap_detail *detail);

/* What is known of both sides of row `index`, of the whole snapshots, and the periods of their
 * samples: of the new snapshot first. The standard error of a difference is at most the root of the
 * sum of their squares: blocks that are in both samples add nothing to it. */
ASNAP_API void asnap_diff_estimates(const struct asnap_diff *diff, size_t index,
                                    struct asnap_estimate estimates[2]);
ASNAP_API void asnap_diff_total_estimates(const struct asnap_diff *diff,
                                          struct asnap_estimate estimates[2]);
ASNAP_API void asnap_diff_sample_periods(const struct asnap_diff *diff, uint64_t periods[2]);

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
