/* Snapshots: making and building them, what they hold, dump files, filters and skip rules. */
#ifndef ALLOCSNAP_SNAPSHOT_H
#define ALLOCSNAP_SNAPSHOT_H

#include "allocsnap_names.h"
#include "allocsnap_tracing.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A snapshot: traces (live blocks with their tracebacks). Immutable. */
struct asnap_snapshot;

/* How far the frames of a new snapshot are named. What is left out is a frame
 * ASNAP_NAMED_ADDRESS, which asnap_snapshot_symbolize can name later. */
enum asnap_naming_extent {
    ASNAP_NAMING_WHOLE,         /* all of them; INTERRUPTED where `progress` stops it */
    ASNAP_NAMING_UNTIL_STOPPED, /* those of the files that were done when `progress` stops it */
    ASNAP_NAMING_NOTHING,       /* none: no file is looked at */
};

/* Names the frames of `raw` and makes a snapshot of it. Takes the blocks out of
 * `raw`, which can only be destroyed afterwards, also on failure. A module whose debug
 * file is bad costs its own names only, and is mentioned in the notes. `progress` may
 * be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_create(struct asnap_raw *raw, struct asnap_symbolizer *symbolizer,
                      enum asnap_naming_extent extent, const struct asnap_progress *progress,
                      struct asnap_snapshot **snapshot);
ASNAP_API void asnap_snapshot_destroy(struct asnap_snapshot *snapshot);

/* Bytes and blocks in all traces; of a sample, those that are in it. */
ASNAP_API uint64_t asnap_snapshot_size(const struct asnap_snapshot *snapshot);
ASNAP_API uint64_t asnap_snapshot_count(const struct asnap_snapshot *snapshot);
/* Frames kept of a stack when the traces were made (tracemalloc: traceback_limit). */
ASNAP_API uint32_t asnap_snapshot_traceback_limit(const struct asnap_snapshot *snapshot);

/* The period of the sample that the traces are, in bytes; 0: every block is among them. A block of
 * s bytes is in the sample with a probability of 1 - exp(-s / period), an empty one as if it had a
 * byte. */
ASNAP_API uint64_t asnap_snapshot_sample_period(const struct asnap_snapshot *snapshot);

/* What there is, as estimated from a sample; where every block is known, that. Each block of the
 * sample stands for as many of its size as the inverse of its probability. */
struct asnap_estimate {
    uint64_t size;     /* bytes */
    double count;      /* blocks */
    double size_error; /* standard errors of these two: the truth is within twice as much in about
                          95 of 100 samples, where many blocks were sampled */
    double count_error;
    uint64_t sampled_count; /* blocks of the sample */
};

/* Of one block of a sample of this period, from 1 to ASNAP_SAMPLE_PERIOD_MAX. */
ASNAP_API struct asnap_estimate asnap_block_estimate(uint64_t size, uint64_t period);

/* Of all traces. */
ASNAP_API struct asnap_estimate asnap_snapshot_estimate(const struct asnap_snapshot *snapshot);

/* What is missing from this snapshot, a line each: dropped records, parts that
 * were being changed, unreadable memory. None: complete. */
ASNAP_API size_t asnap_snapshot_note_count(const struct asnap_snapshot *snapshot);
ASNAP_API const char *asnap_snapshot_note(const struct asnap_snapshot *snapshot, size_t index);

/* ---- what it holds ---- */

/* The `time` of a block of which it is not known. */
#define ASNAP_TIME_UNKNOWN UINT32_MAX
#define ASNAP_TIMES_PER_SECOND UINT32_C(100)

/* A live block. */
struct asnap_trace {
    uint64_t address;
    uint64_t size;
    uint32_t traceback_id; /* as given by asnap_builder_traceback */
    uint32_t domain;
    uint32_t thread; /* that asked for it: place among the snapshot's threads; 0: not known */
    uint32_t time;   /* when: hundredths of a second since asnap_snapshot_start_time, or
                        ASNAP_TIME_UNKNOWN */
};

/* Lends the traces, asnap_snapshot_count of them, in the order in which they were
 * given. Fails with NO_MEMORY only: a filtered snapshot lists its traces when it is
 * asked for them first. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_traces(const struct asnap_snapshot *snapshot, const struct asnap_trace **traces);

/* The snapshot of `count` traces from place `first` on (asnap_snapshot_traces). Fails with
 * INVALID_ARGUMENT where there are not as many, or NO_MEMORY. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_slice(const struct asnap_snapshot *snapshot, size_t first, size_t count,
                     struct asnap_snapshot **slice);

/* Of a snapshot that nothing was made of yet and whose traces are all of one domain: each trace
 * sums up so many blocks, not 0, in its size, in the order of asnap_snapshot_traces. Sums, filters
 * and statistics by frames have these numbers from then on. Fails with NO_MEMORY, and with
 * INVALID_ARGUMENT where they are more than INT64_MAX together; then it is to be destroyed. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_recount(struct asnap_snapshot *snapshot, const uint64_t *counts);

/* What blocks of one stack and domain sum to. */
struct asnap_stack_sum {
    uint32_t traceback_id;
    uint32_t domain;
    uint64_t size;  /* bytes; of a sample, of those blocks that are in it */
    uint64_t count; /* blocks, likewise */
};

/* All of them, in an order of their own: `place` is below their number. */
ASNAP_API size_t asnap_snapshot_stack_count(const struct asnap_snapshot *snapshot);
ASNAP_API struct asnap_stack_sum asnap_snapshot_stack(const struct asnap_snapshot *snapshot,
                                                      size_t place);

/* Looks for the block that holds `address`: at its start or anywhere inside it (a
 * block without bytes holds its own address). Of several (a pool in a larger
 * block) it is the smallest, of equal ones the one that starts last, else the one
 * given first. `trace` is set where there is one. The first search takes the time
 * of a sort, later ones next to none. Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_find(const struct asnap_snapshot *snapshot, uint64_t address, bool *found,
                    struct asnap_trace *trace);

/* The class of the C++ object in the block of a trace of the snapshot, where it was told the
 * classes (asnap_vtable_list_name); NULL: it holds none, or that is not known. */
ASNAP_API const char *asnap_snapshot_class(const struct asnap_snapshot *snapshot,
                                           const struct asnap_trace *trace);

/* The places among asnap_snapshot_traces of the `count` largest traces (of all, at
 * most), by size, descending, then by address. Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_largest(const struct asnap_snapshot *snapshot, size_t count, uint32_t *places);

/* The same of the `count` oldest traces: by time, those of which it is not known last; of
 * equal times by size, descending, then by address. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_oldest(const struct asnap_snapshot *snapshot, size_t count, uint32_t *places);

/* The threads that traces name: the kernel's number (TID) of each; 0 where it is not known,
 * as of place 0. The count is 0 where no thread is known. A filtered snapshot has those of
 * the snapshot it was made from. */
ASNAP_API size_t asnap_snapshot_thread_count(const struct asnap_snapshot *snapshot);
ASNAP_API uint32_t asnap_snapshot_thread(const struct asnap_snapshot *snapshot, uint32_t place);

/* When the times of traces begin: nanoseconds since 1970 (UTC). 0: not known, and then no
 * trace has a time. */
ASNAP_API uint64_t asnap_snapshot_start_time(const struct asnap_snapshot *snapshot);

/* The time of the newest block, also of those that filters left out; 0 where no block has one. */
ASNAP_API uint32_t asnap_snapshot_newest_time(const struct asnap_snapshot *snapshot);

/* The name of a domain, NULL where it has none. */
ASNAP_API const char *asnap_snapshot_domain_name(const struct asnap_snapshot *snapshot,
                                                 uint32_t domain);

/* The domains that have a name, in ascending order. */
ASNAP_API size_t asnap_snapshot_domain_count(const struct asnap_snapshot *snapshot);
ASNAP_API uint32_t asnap_snapshot_domain(const struct asnap_snapshot *snapshot, size_t index);

/* The frames of a whole stack where they were not counted (with a frame limit of 1 the
 * hooks walk no stack). */
#define ASNAP_TOTAL_UNKNOWN UINT32_MAX

/* A stack. */
struct asnap_traceback {
    uint64_t first;        /* place of its most recent frame in asnap_snapshot_frame_ids */
    uint32_t frame_count;  /* from 1; the older frames follow the first */
    uint32_t total_nframe; /* frames of the whole stack: at least frame_count, or
                              ASNAP_TOTAL_UNKNOWN */
};

/* Lends the tracebacks: traces[i].traceback_id is a place among them. A filtered
 * snapshot has those of the snapshot it was made from. */
ASNAP_API size_t asnap_snapshot_traceback_count(const struct asnap_snapshot *snapshot);
ASNAP_API const struct asnap_traceback *
asnap_snapshot_tracebacks(const struct asnap_snapshot *snapshot);

/* Lends the frames of all tracebacks, as numbers below asnap_snapshot_frame_count. */
ASNAP_API size_t asnap_snapshot_frame_id_count(const struct asnap_snapshot *snapshot);
ASNAP_API const uint32_t *asnap_snapshot_frame_ids(const struct asnap_snapshot *snapshot);

/* The frames themselves: one, or `count` from number `first` on, copied to
 * `frames`. Their strings live as long as the snapshot. */
ASNAP_API size_t asnap_snapshot_frame_count(const struct asnap_snapshot *snapshot);
ASNAP_API struct asnap_frame asnap_snapshot_frame(const struct asnap_snapshot *snapshot,
                                                  uint32_t frame_id);
ASNAP_API void asnap_snapshot_frames(const struct asnap_snapshot *snapshot, uint32_t first,
                                     size_t count, struct asnap_frame *frames);

/* The return address that a frame stands for, 0 where unknown. Several frames stand
 * for one where functions were inlined. */
ASNAP_API uint64_t asnap_snapshot_frame_address(const struct asnap_snapshot *snapshot,
                                                uint32_t frame_id);

/* The `file_offset` of a whole file, unloaded or not: [start, end) is where all of it was, laid
 * out by its program headers. */
#define ASNAP_WHOLE_FILE UINT64_MAX

/* A file that was mapped where return addresses lie: [start, end). */
struct asnap_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset; /* of `start`, or ASNAP_WHOLE_FILE */
    const char *path;
    const char *build_id; /* in hexadecimal; "" where unknown */
};

/* What was mapped, in the order it was given: with it and the return addresses,
 * frames can be named better later. Of files that were unloaded, and what came into their
 * place, several hold one address: asnap_snapshot_frame_mapping tells them apart. */
ASNAP_API size_t asnap_snapshot_mapping_count(const struct asnap_snapshot *snapshot);
ASNAP_API struct asnap_mapping asnap_snapshot_mapping(const struct asnap_snapshot *snapshot,
                                                      size_t index);

/* The mapping that a frame's return address lies in, as asnap_snapshot_mapping's index;
 * ASNAP_NO_MAPPING: none that is known. */
ASNAP_API uint32_t asnap_snapshot_frame_mapping(const struct asnap_snapshot *snapshot,
                                                uint32_t frame_id);

/* Where the code of a frame lies: of one, or of `count` from number `first` on, copied to
 * `places`. The strings live as long as the snapshot. */
ASNAP_API struct asnap_place asnap_snapshot_place(const struct asnap_snapshot *snapshot,
                                                  uint32_t frame_id);
ASNAP_API void asnap_snapshot_places(const struct asnap_snapshot *snapshot, uint32_t first,
                                     size_t count, struct asnap_place *places);

/* A note of the user's on a snapshot, by name. */
struct asnap_attribute {
    const char *name;
    const char *value;
};

/* The attributes that the snapshot was built or dumped with, by name. A filtered
 * snapshot has those of the snapshot it was made from. */
ASNAP_API size_t asnap_snapshot_attribute_count(const struct asnap_snapshot *snapshot);
ASNAP_API struct asnap_attribute asnap_snapshot_attribute(const struct asnap_snapshot *snapshot,
                                                          size_t index);

/* ---- naming frames later ---- */

/* A snapshot of the same traces whose frames have better names, from the files at the
 * paths that were mapped, or from those of asnap_symbolizer_set_files, if their build IDs
 * are those that were mapped. Frames with a line stay as they are; of the others, those
 * of which more is known now change. What is told by asnap_symbolizer_set_regions is not
 * looked at. Notes on the files that are looked at are made anew; rules of
 * asnap_snapshot_skip are not kept. Fails with NO_MEMORY or INTERRUPTED. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_symbolize(const struct asnap_snapshot *snapshot, struct asnap_symbolizer *symbolizer,
                         const struct asnap_progress *progress, struct asnap_snapshot **named);

/* The blocks whose frames, those that they are attributed to, are in one file and have
 * their names from the same. */
struct asnap_naming_part {
    const char *path; /* of what was mapped there; NULL where it is not known */
    uint8_t named_by; /* asnap_named_by */
    bool has_line;
    uint64_t size;  /* bytes in its blocks */
    uint64_t count; /* its blocks, at least one */
};

struct asnap_naming_summary;

/* Sums up the blocks of a snapshot, the largest part first. Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_naming_summary_create(const struct asnap_snapshot *snapshot,
                            struct asnap_naming_summary **summary);
ASNAP_API void asnap_naming_summary_destroy(struct asnap_naming_summary *summary);
ASNAP_API size_t asnap_naming_summary_count(const struct asnap_naming_summary *summary);
ASNAP_API struct asnap_naming_part
asnap_naming_summary_part(const struct asnap_naming_summary *summary, size_t index);

/* How many of its frames are bare addresses (ASNAP_NAMED_ADDRESS). Of a filtered
 * snapshot, those of the snapshot it was made from. */
ASNAP_API size_t asnap_snapshot_unnamed_count(const struct asnap_snapshot *snapshot);

/* ---- building one from given traces ---- */

struct asnap_builder;

ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_builder_create(struct asnap_builder **builder);
ASNAP_API void asnap_builder_destroy(struct asnap_builder *builder);

/* The mapping of a frame that is in none which was added. */
#define ASNAP_NO_MAPPING UINT32_MAX

/* Interns a frame (copies its strings); equal frames get the same number. `return_address`
 * is what it stands for, 0 where that is not known, and `mapping` the number of the mapping
 * that it lies in (the first one added is number 0), or ASNAP_NO_MAPPING: the same frame at
 * another address has another number, but makes no other group, and addresses in different
 * mappings are not the same, though their numbers be. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_frame(struct asnap_builder *builder, const struct asnap_frame *frame,
                    uint64_t return_address, uint32_t mapping, uint32_t *frame_id);

/* Tells the offset of a frame's call (asnap_place); frames are the same also where it is another.
 */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_offset(struct asnap_builder *builder, uint32_t frame_id, uint64_t offset);

/* Tells the type of the objects in the blocks that a frame's call returns
 * (asnap_named_pc.allocates), which it copies: statistics by type go by it where nothing in a block
 * tells of what class it is. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_allocates(struct asnap_builder *builder, uint32_t frame_id, const char *type);

/* Interns a traceback: `frame_count` frames, most recent first, of a stack that
 * had `total_nframe` frames (at least frame_count, at most 65535; 0 stands for
 * frame_count; or ASNAP_TOTAL_UNKNOWN). frame_count may be 0. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_traceback(struct asnap_builder *builder, const uint32_t *frame_ids,
                        size_t frame_count, uint32_t total_nframe, uint32_t *traceback_id);

/* Interns `count` tracebacks: `frame_ids` holds their frames one after the other,
 * frame_counts[i] of them for traceback i. On failure some of them may have been
 * interned. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_tracebacks(struct asnap_builder *builder, const uint32_t *frame_ids,
                         const uint32_t *frame_counts, const uint32_t *total_nframes, size_t count,
                         uint32_t *traceback_ids);

/* Tells the threads, once and before the traces that name them: the kernel's number of
 * each (copies them); threads[0] is 0, the thread that is not known. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_threads(struct asnap_builder *builder, const uint32_t *threads, size_t count);

/* Tells when the traces' times begin, nanoseconds since 1970 (UTC). Where it is not told, or
 * 0, times do not count: all are ASNAP_TIME_UNKNOWN in the snapshot. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_start_time(struct asnap_builder *builder, uint64_t nanoseconds);

/* Tells that the traces are a sample of this period (asnap_snapshot_sample_period), at most
 * ASNAP_SAMPLE_PERIOD_MAX. Fails with INVALID_ARGUMENT; asnap_builder_finish does where the
 * estimates are too large. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_sample_period(struct asnap_builder *builder, uint64_t period);

/* Adds traces (copies them); 4294967294 at most. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_traces(struct asnap_builder *builder, const struct asnap_trace *traces, size_t count);

/* The same, but takes the array over, which comes from malloc; the caller keeps it
 * on failure. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_take_traces(struct asnap_builder *builder, struct asnap_trace *traces, size_t count);

/* Adds a note (copies it). */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_builder_note(struct asnap_builder *builder,
                                                                  const char *note);

/* Names a domain (copies the name); the last name given counts. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_domain_name(struct asnap_builder *builder, uint32_t domain, const char *name);

/* Adds what was mapped (copies it). `build_id` may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_mapping(struct asnap_builder *builder, const struct asnap_mapping *mapping);

/* Sets an attribute (copies it); the last value given counts. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_attribute(struct asnap_builder *builder, const char *name, const char *value);

/* Makes the snapshot. The builder is empty afterwards and can only be destroyed. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_finish(struct asnap_builder *builder, uint32_t traceback_limit,
                     struct asnap_snapshot **snapshot);

/* ---- dump files ---- */

/* Writes a snapshot to a file (docs/dump-format.md), as a whole or not at all: on any
 * failure (IO, NO_MEMORY) what was at `path` is as it was. Of a filtered snapshot, what
 * its traces do not need is left out. `attributes` are those that the file shall have;
 * NULL: those of the snapshot. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_dump(const struct asnap_snapshot *snapshot, const char *path,
                    const struct asnap_attribute *attributes, size_t attribute_count);

/* Writes a file that the standard library's tracemalloc.Snapshot.load opens (Python
 * 3.9 and later), likewise: traces, traceback limit, attributes. Functions, notes and
 * what else tracemalloc does not know are left out. Fails with UNSUPPORTED for a sample. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_dump_tracemalloc(const struct asnap_snapshot *snapshot, const char *path,
                                const struct asnap_attribute *attributes, size_t attribute_count);

/* Reads a snapshot from a file of asnap_snapshot_dump, which may come from anywhere: all of it is
 * checked, and nothing of it is used afterwards. IO where it cannot be read, DAMAGED
 * where it is no dump, or one that contradicts itself, VERSION where another version
 * has written it, UNSUPPORTED where a machine of another byte order has, or where it is
 * a pickle. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_load(const char *path, struct asnap_snapshot **snapshot);

/* ---- filters and skip rules ---- */

/* Which traces to keep (tracemalloc's Filter and DomainFilter, to the letter). */
struct asnap_filter {
    bool inclusive; /* false: keep the traces that it does not match */
    /* For the whole path, as Python's fnmatch: "*" crosses "/". A ".pyc" at the end
     * of it or of a file name is read as ".py". NULL: any file. */
    const char *filename_pattern;
    bool has_lineno;
    uint32_t lineno; /* 0 is a line like any other */
    bool all_frames; /* look at every frame, not only at the most recent one */
    bool has_domain;
    uint32_t domain;
    uint32_t classes; /* a bit (1 << asnap_reach_class) for each that it matches; 0: any. Of
                         asnap_graph_filter alone */
};

/* A snapshot of the traces that at least one inclusive filter matches, where
 * there are inclusive ones, and that no exclusive filter matches. It shares the
 * storage of `snapshot`, which may be destroyed first; its notes are the same. Fails with
 * NO_MEMORY, and with INVALID_ARGUMENT where a filter has classes. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_filter(const struct asnap_snapshot *snapshot, const struct asnap_filter *filters,
                      size_t filter_count, struct asnap_snapshot **filtered);

/* A set of functions and libraries that ask for memory on behalf of others: what a person looks
 * at is who called them. */
struct asnap_skip_set {
    const char *name; /* "libc" */
    const char *what; /* it holds, for people */
};

/* The built-in sets, numbered from 0; NULL: there is no such set. */
ASNAP_API const struct asnap_skip_set *asnap_skip_set(size_t number);

#define ASNAP_SKIP_ALL_SETS UINT32_MAX

/* Which frames are passed over. */
struct asnap_skip_rules {
    /* A rule is a pattern like a filter's; with a "/" in it, it is matched against the file
     * name, else against the function's. */
    const char *const *patterns;
    size_t pattern_count;
    /* The user's own code: patterns for the paths of sources and of modules, and without a "/"
     * for the ends of these, too. */
    const char *const *mine;
    size_t mine_count;
    uint32_t sets; /* bit n: the built-in set of number n */
};

/* A snapshot whose blocks are attributed to the line a person would look at: statistics by
 * file, line, function and module (not the cumulative ones), differences by these, and filters
 * that look at one frame pass over the most recent frames that a rule matches, up to the
 * first frame of the user's own code where such is named and on the stack. Frames without a
 * name are passed over up to one with a line, or with a symbol where it is clear that they
 * work for that. Where nothing is left, the sets do not count, and then no rule does.
 * Tracebacks keep every frame. Rules replace those of `snapshot`; storage is shared as by
 * asnap_snapshot_filter. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_skip(const struct asnap_snapshot *snapshot, const struct asnap_skip_rules *rules,
                    struct asnap_snapshot **attributed);

/* Whether a pattern of the user's own code is for a source or module of any frame of a snapshot. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_has_own(const struct asnap_snapshot *snapshot, const char *pattern, bool *has);

/* How many of the most recent frames of a traceback are passed over. */
ASNAP_API uint32_t asnap_snapshot_skipped_frames(const struct asnap_snapshot *snapshot,
                                                 uint32_t traceback_id);

#ifdef __cplusplus
}
#endif

#endif
