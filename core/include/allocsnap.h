/* allocsnap: snapshots of a native program's heap, by allocation site.
 *
 * The public interface of liballocsnap. The words are those of CPython's
 * tracemalloc; docs/architecture.md says how the parts fit together.
 *
 * Conventions
 *   - A function that can fail returns a `struct asnap_error *`: NULL is success,
 *     else the caller owns the error. Outputs come last and are untouched on
 *     failure.
 *   - `_create` hands an object to the caller, `_destroy` takes it back and
 *     accepts NULL. Getters lend: what they return lives as long as the object.
 *   - Strings are NUL-terminated UTF-8 or whatever bytes a debug file holds.
 *   - Addresses are the inferior's, as numbers. Sizes are in bytes.
 *   - Nothing here is safe to use from two threads at once on the same object.
 */
#ifndef ALLOCSNAP_H
#define ALLOCSNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ASNAP_API __attribute__((visibility("default")))
#define ASNAP_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ASNAP_API
#define ASNAP_MUST_CHECK
#endif

/* The version of this library, "MAJOR.MINOR.PATCH". */
ASNAP_API const char *asnap_version(void);

/* ---- errors ---- */

enum asnap_error_code {
    ASNAP_ERROR_NO_MEMORY = 1,    /* this process is out of memory */
    ASNAP_ERROR_INVALID_ARGUMENT, /* the caller's mistake */
    ASNAP_ERROR_NO_HOOKS,         /* no table: the program runs without the hooks */
    ASNAP_ERROR_NOT_TRACING,      /* the hooks are there, tracing is off */
    ASNAP_ERROR_UNREADABLE,       /* the inferior's memory could not be read */
    ASNAP_ERROR_DAMAGED,          /* the table or file contradicts itself */
    ASNAP_ERROR_VERSION,          /* written by another version */
    ASNAP_ERROR_UNSUPPORTED,      /* a program of a kind that is not supported */
    ASNAP_ERROR_INTERRUPTED,      /* the caller asked to stop */
    ASNAP_ERROR_IO,               /* a file could not be read or written */
};

struct asnap_error;

/* What kind of failure; `error` is not NULL. */
ASNAP_API enum asnap_error_code asnap_error_code(const struct asnap_error *error);

/* One line without a newline: what failed, where, why, and what to do next. */
ASNAP_API const char *asnap_error_message(const struct asnap_error *error);

ASNAP_API void asnap_error_destroy(struct asnap_error *error);

/* ---- the inferior: a live process or a core ---- */

enum asnap_read_result {
    ASNAP_READ_OK = 0,
    ASNAP_READ_FAILED = 1,      /* some of the bytes cannot be read */
    ASNAP_READ_INTERRUPTED = 2, /* the user wants to stop: give up at once */
};

/* How the library reads the inferior's memory. `read` fills all of `buffer` with
 * the `size` bytes at `address`, or fails; it returns an asnap_read_result. */
struct asnap_memory {
    int (*read)(void *context, uint64_t address, void *buffer, size_t size);
    void *context;
};

/* How far a long step has come; returns true to go on, false to stop it (the
 * step then fails with ASNAP_ERROR_INTERRUPTED). `total` is 0 where unknown. */
struct asnap_progress {
    bool (*report)(void *context, const char *step, uint64_t done, uint64_t total);
    void *context;
};

enum asnap_region_flags {
    ASNAP_REGION_READABLE = 1,
    ASNAP_REGION_WRITABLE = 2,
    ASNAP_REGION_EXECUTABLE = 4,
};

/* A piece of the inferior's address space: [start, end). */
struct asnap_region {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset; /* of `start` in the file at `path` */
    const char *path;     /* NULL or "" where no file is mapped; "[vdso]" for the vDSO */
    uint32_t flags;       /* asnap_region_flags */
};

/* The memory map of a core file, read from its program headers and its
 * NT_FILE and NT_AUXV notes (ELF gABI; Linux core notes). Each file-backed piece
 * has its path, and the vDSO is named. Sorted by address. */
struct asnap_core_map;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_core_map_create(const char *core_path,
                                                                     struct asnap_core_map **map);
ASNAP_API size_t asnap_core_map_count(const struct asnap_core_map *map);
ASNAP_API const struct asnap_region *asnap_core_map_regions(const struct asnap_core_map *map);
/* Bytes that the program headers promise and the file does not have; 0: whole. */
ASNAP_API uint64_t asnap_core_map_missing(const struct asnap_core_map *map);
ASNAP_API void asnap_core_map_destroy(struct asnap_core_map *map);

/* Finds the table in the inferior. Tries `candidate` first (the address of the
 * symbol `allocsnap_table`; 0 where it has none), then looks for the magic at the
 * page starts of the readable and writable regions. Fails with NO_HOOKS,
 * VERSION, UNSUPPORTED (32-bit program) or INTERRUPTED. `progress` may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_root_find(const struct asnap_memory *memory, uint64_t candidate,
                const struct asnap_region *regions, size_t region_count,
                const struct asnap_progress *progress, uint64_t *root_address);

/* What can be asked of the hooks. They obey at the program's next call of an
 * allocation function. */
enum asnap_request {
    ASNAP_REQUEST_START = 1,      /* trace, beginning with no traces */
    ASNAP_REQUEST_STOP = 2,       /* do not trace, and drop all traces */
    ASNAP_REQUEST_CLEAR = 4,      /* drop all traces */
    ASNAP_REQUEST_RESET_PEAK = 8, /* let the peak be what is traced */
};

/* What the hooks say of themselves. Where a request waits, `tracing`, `frame_limit`
 * and the traced memory are as they will be once it is obeyed. */
struct asnap_status {
    char hooks_version[24];
    uint32_t table_version;
    bool tracing;
    bool request_pending;  /* a start, stop or clear the hooks have not obeyed yet */
    uint32_t frame_limit;  /* frames kept of a stack */
    uint64_t traced_size;  /* bytes in live traced blocks */
    uint64_t traced_count; /* live traced blocks */
    uint64_t peak_size;    /* the most that traced_size has been */
    uint64_t tracker_size; /* memory of the hooks themselves, bytes */
    uint64_t dropped;      /* blocks that there was no memory to record */
    uint64_t refused;      /* blocks of the program's pools that no record can be made of */
    uint32_t busy_shards;  /* parts of the table that were being changed */
    uint32_t requests;     /* what waits to be obeyed: asnap_request flags */
    bool own_malloc;       /* the program has a malloc of its own, which is not traced */
};

/* Reads the status at `root_address` (from asnap_root_find). */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_status_read(const struct asnap_memory *memory,
                                                                 uint64_t root_address,
                                                                 struct asnap_status *status);

/* Bytes to be written into the inferior. */
struct asnap_write {
    uint64_t address;
    uint32_t size;
    uint8_t bytes[28];
};

#define ASNAP_REQUEST_WRITES 2

/* What to write, in this order and while the process is stopped, for the hooks to
 * obey a request; requests that still wait are obeyed with it. Nothing happens
 * before the last byte is written. `frame_limit` is for START: the frames to keep of
 * a stack; 0: as many as before. Fails as asnap_status_read does, and with
 * INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_request_prepare(const struct asnap_memory *memory, uint64_t root_address,
                      enum asnap_request request, uint32_t frame_limit,
                      struct asnap_write writes[ASNAP_REQUEST_WRITES]);

/* The validated contents of a table, frames still unnamed. */
struct asnap_raw;

/* Reads the whole table. A table that contradicts itself gives DAMAGED; memory
 * that cannot be read (a truncated core) leaves out the blocks in it, and the
 * notes of the snapshot say so; a root or shard list that cannot be read gives
 * UNREADABLE. NOT_TRACING where tracing is off. `progress` may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_raw_read(const struct asnap_memory *memory,
                                                              uint64_t root_address,
                                                              const struct asnap_progress *progress,
                                                              struct asnap_raw **raw);

/* The same while other threads of the program go on (a breakpoint's condition): blocks
 * that come or go meanwhile may be in it or not, and a part of the table that does
 * not add up counts as being changed, and not as damaged. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_raw_read_moving(const struct asnap_memory *memory, uint64_t root_address,
                      const struct asnap_progress *progress, struct asnap_raw **raw);

/* Tells that the core file which `raw` is from lacks `bytes` of the program's
 * memory (asnap_core_map_missing); snapshots made of it say so. 0: nothing. */
ASNAP_API void asnap_raw_set_missing(struct asnap_raw *raw, uint64_t bytes);

ASNAP_API size_t asnap_raw_trace_count(const struct asnap_raw *raw);
ASNAP_API void asnap_raw_destroy(struct asnap_raw *raw);

/* ---- names ---- */

/* What a frame has its name from. */
enum asnap_named_by {
    ASNAP_NAMED_UNTOLD,   /* nobody says: a snapshot's frames never have it */
    ASNAP_NAMED_NONE,     /* nothing: there is no function, and no line */
    ASNAP_NAMED_ADDRESS,  /* not looked for yet: the function is the return address */
    ASNAP_NAMED_SYMBOL,   /* a symbol table: there is no line */
    ASNAP_NAMED_DEBUGGER, /* the debugger */
    ASNAP_NAMED_LINE,     /* a line table */
    ASNAP_NAMED_INLINE,   /* a place where the function was inlined */
    ASNAP_NAMED_KINDS,
};

/* The word for it, as in JSON: "line table"; NULL for UNTOLD. */
ASNAP_API const char *asnap_named_by_text(enum asnap_named_by named_by);

/* One source location of a stack. */
struct asnap_frame {
    const char *filename; /* full path; the module's path or "<unknown>" where lineno is 0 */
    const char *function; /* NULL where unknown */
    uint32_t lineno;      /* from 1; 0 where there is no line information */
    bool inlined;         /* the function was inlined into the next older frame */
    uint8_t named_by;     /* asnap_named_by; a builder finds it out where it is UNTOLD */
};

/* Turns program counters into frames, and remembers what it has found. */
struct asnap_symbolizer;

/* `debug_directories` lists where separate debug files are, colon-separated, as
 * gdb's debug-file-directory; NULL means "/usr/lib/debug". */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_create(const char *debug_directories, struct asnap_symbolizer **symbolizer);

/* Tells which files are mapped where; replaces what was told before and keeps
 * what was learnt about files that are unchanged on disk. Copies the regions;
 * `memory` (for the vDSO, which is in no file, and for the build IDs, by which a
 * file that was replaced is known) is only used during the call and may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_set_regions(struct asnap_symbolizer *symbolizer, const struct asnap_memory *memory,
                             const struct asnap_region *regions, size_t region_count);

/* Tells which files the debugger has read, to be used in place of a mapped file that
 * is missing or another build, and of a debug file that is not found: the one that has the
 * build ID in memory. Replaces what was told before. Copies the paths. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_set_files(struct asnap_symbolizer *symbolizer, const char *const *paths,
                           size_t count);

/* How the library asks the debugger for what it cannot name itself to the line: the frames of
 * `pc`, an address within a call, innermost first. `frames` has room for
 * ASNAP_DEBUGGER_FRAMES_MAX; *count is 0 before, and stays so where nothing is known. Strings
 * must live until the next call. `build_id` is that of the file in memory, in hexadecimal, ""
 * where it has none: symbols of another build are no answer. Returns ASNAP_READ_OK, or
 * ASNAP_READ_INTERRUPTED to give up. */
#define ASNAP_DEBUGGER_FRAMES_MAX 64
struct asnap_debugger {
    int (*name)(void *context, uint64_t pc, const char *build_id, struct asnap_frame *frames,
                size_t *count);
    void *context;
};

/* Has addresses named by the debugger too, from here on; it must live as long, or until it is
 * replaced. NULL: no debugger. */
ASNAP_API void asnap_symbolizer_set_debugger(struct asnap_symbolizer *symbolizer,
                                             const struct asnap_debugger *debugger);
ASNAP_API void asnap_symbolizer_destroy(struct asnap_symbolizer *symbolizer);

/* The frames that one program counter stands for, innermost (inlined) first.
 * At least one; owned by the symbolizer. */
struct asnap_named_pc {
    const struct asnap_frame *frames;
    size_t frame_count;
};

/* Names `count` return addresses, in any order. names[i] belongs to
 * return_addresses[i]; frames and strings live until the symbolizer is destroyed.
 * An address that no file explains gets one frame ("<unknown>", line 0). Fails
 * with NO_MEMORY or INTERRUPTED only; a bad file costs its own names. `progress`
 * may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_name(struct asnap_symbolizer *symbolizer, const uint64_t *return_addresses,
                      size_t count, const struct asnap_progress *progress,
                      struct asnap_named_pc *names);

/* ---- snapshots ---- */

/* A snapshot: traces (live blocks with their tracebacks). Immutable. */
struct asnap_snapshot;

/* Names the frames of `raw` and makes a snapshot of it. Takes the blocks out of
 * `raw`, which can only be destroyed afterwards, also on failure. A module whose debug
 * file is bad costs its own names only, and is mentioned in the notes. `progress` may
 * be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_create(struct asnap_raw *raw, struct asnap_symbolizer *symbolizer,
                      const struct asnap_progress *progress, struct asnap_snapshot **snapshot);
ASNAP_API void asnap_snapshot_destroy(struct asnap_snapshot *snapshot);

/* Bytes and blocks in all traces. */
ASNAP_API uint64_t asnap_snapshot_size(const struct asnap_snapshot *snapshot);
ASNAP_API uint64_t asnap_snapshot_count(const struct asnap_snapshot *snapshot);
/* Frames kept of a stack when the traces were made (tracemalloc: traceback_limit). */
ASNAP_API uint32_t asnap_snapshot_traceback_limit(const struct asnap_snapshot *snapshot);

/* What is missing from this snapshot, a line each: dropped records, parts that
 * were being changed, unreadable memory. None: complete. */
ASNAP_API size_t asnap_snapshot_note_count(const struct asnap_snapshot *snapshot);
ASNAP_API const char *asnap_snapshot_note(const struct asnap_snapshot *snapshot, size_t index);

/* ---- the traces of a snapshot ---- */

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

/* Looks for the block that holds `address`: at its start or anywhere inside it (a
 * block without bytes holds its own address). Of several (a pool in a larger
 * block) it is the smallest, of equal ones the one that starts last, else the one
 * given first. `trace` is set where there is one. The first search takes the time
 * of a sort, later ones next to none. Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_find(const struct asnap_snapshot *snapshot, uint64_t address, bool *found,
                    struct asnap_trace *trace);

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

/* The name of a domain, NULL where it has none. */
ASNAP_API const char *asnap_snapshot_domain_name(const struct asnap_snapshot *snapshot,
                                                 uint32_t domain);

/* The domains that have a name, in ascending order. */
ASNAP_API size_t asnap_snapshot_domain_count(const struct asnap_snapshot *snapshot);
ASNAP_API uint32_t asnap_snapshot_domain(const struct asnap_snapshot *snapshot, size_t index);

/* The frames of a whole stack where nobody has counted them (with a frame limit of 1 the
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

/* The `file_offset` of a file that was unloaded: [start, end) is where all of it was, laid
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
 * UINT32_MAX: none that is known. */
ASNAP_API uint32_t asnap_snapshot_frame_mapping(const struct asnap_snapshot *snapshot,
                                                uint32_t frame_id);

/* What somebody wants to be known of a snapshot. */
struct asnap_attribute {
    const char *name;
    const char *value;
};

/* The attributes that the snapshot was built or dumped with, by name. A filtered
 * snapshot has those of the snapshot it was made from. */
ASNAP_API size_t asnap_snapshot_attribute_count(const struct asnap_snapshot *snapshot);
ASNAP_API struct asnap_attribute asnap_snapshot_attribute(const struct asnap_snapshot *snapshot,
                                                          size_t index);

/* ---- building a snapshot from given traces ---- */

struct asnap_builder;

ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_builder_create(struct asnap_builder **builder);
ASNAP_API void asnap_builder_destroy(struct asnap_builder *builder);

/* Interns a frame (copies its strings); equal frames get the same number. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_builder_frame(struct asnap_builder *builder,
                                                                   const struct asnap_frame *frame,
                                                                   uint32_t *frame_id);

/* The same for a frame that stands for a return address (not 0). The same frame at
 * another address has another number, but makes no other group. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_frame_at(struct asnap_builder *builder, const struct asnap_frame *frame,
                       uint64_t return_address, uint32_t *frame_id);

/* The same for a return address in a mapping that was added before (the first one is
 * number 0): addresses in different mappings are not the same, though their numbers be. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_builder_frame_in(struct asnap_builder *builder, const struct asnap_frame *frame,
                       uint64_t return_address, uint32_t mapping, uint32_t *frame_id);

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
 * what else tracemalloc does not know are left out. */
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

/* ---- filters ---- */

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
};

/* A snapshot of the traces that at least one inclusive filter matches, where
 * there are inclusive ones, and that no exclusive filter matches. It shares the
 * storage of `snapshot`, which may be destroyed first; its notes are the same. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_filter(const struct asnap_snapshot *snapshot, const struct asnap_filter *filters,
                      size_t filter_count, struct asnap_snapshot **filtered);

/* A snapshot whose blocks are attributed to the line a person would look at: statistics by
 * file or line (not the cumulative ones), differences by these, and filters that look at
 * one frame pass over the most recent frames that a rule matches. A rule is a pattern like
 * a filter's; with a "/" in it, it is matched against the file name, else against the
 * function's. `standard` adds rules for C++'s operator new and the standard allocators. A
 * stack of skipped frames only stays with its most recent frame. Tracebacks keep every
 * frame. Rules replace those of `snapshot`; storage is shared as by
 * asnap_snapshot_filter. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_skip(const struct asnap_snapshot *snapshot, const char *const *patterns,
                    size_t pattern_count, bool standard, struct asnap_snapshot **attributed);

/* How many of the most recent frames of a traceback are passed over. */
ASNAP_API uint32_t asnap_snapshot_skipped_frames(const struct asnap_snapshot *snapshot,
                                                 uint32_t traceback_id);

/* ---- statistics ---- */

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

#include "allocsnap_memory.h"
#include "allocsnap_names.h"
#include "allocsnap_render.h"

#endif
