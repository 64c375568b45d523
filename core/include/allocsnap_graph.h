/* The graph over the blocks of a snapshot: which of them the program can still get at, what
 * points to them, and what they keep alive. */
#ifndef ALLOCSNAP_GRAPH_H
#define ALLOCSNAP_GRAPH_H

#include "allocsnap_snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the program can still get at a block (memcheck's classes of leaks). */
enum asnap_reach_class {
    ASNAP_REACH_UNKNOWN,   /* no graph was computed */
    ASNAP_REACH_REACHABLE, /* a pointer from a root, or from another such block, leads to it */
    ASNAP_REACH_POSSIBLE,  /* only by pointers into the inside of a block */
    ASNAP_REACH_INDIRECT,  /* not, and only definite blocks lead to it */
    ASNAP_REACH_DEFINITE,  /* not, and nothing leads to it but a cycle that it stands for */
    ASNAP_REACH_CLASSES,
};

/* The word for a class, as in JSON: "definite"; NULL for UNKNOWN. */
ASNAP_API const char *asnap_reach_class_text(enum asnap_reach_class reach);

/* What is searched for pointers to blocks. */
enum asnap_root_kind {
    ASNAP_ROOT_REGISTER, /* of a thread */
    ASNAP_ROOT_STACK, /* of a thread: from its stack pointer on, or whole where that is elsewhere */
    ASNAP_ROOT_TLS,   /* thread-local storage, where it lies apart from the thread's stack */
    ASNAP_ROOT_FILE,  /* data of a program or library, or another writable mapping of a file */
    ASNAP_ROOT_MAPPING, /* other anonymous memory, without a traced block */
    ASNAP_ROOT_GAP,     /* between the traced blocks of an allocator's heap; what only these hold is
                           POSSIBLE */
    ASNAP_ROOT_RED_ZONE, /* of a thread's stack: what a function may use below its stack pointer
                            (System V ABI of x86-64, 3.2.2); mostly old values */
    ASNAP_ROOT_KINDS,
};

/* A piece of memory that is searched; of a register the value. */
struct asnap_root {
    uint64_t start; /* of a REGISTER: which of asnap_graph_facts' */
    uint64_t end;
    uint32_t kind;   /* asnap_root_kind */
    uint32_t thread; /* of REGISTER, STACK, RED_ZONE and TLS: its place among the threads;
                        UINT32_MAX: one that has ended */
};

/* Whether the gaps between traced blocks are searched: they can hold blocks that were not
 * recorded. */
enum asnap_gaps {
    ASNAP_GAPS_AUTO, /* where blocks are known to be missing (asnap_status.is_whole) */
    ASNAP_GAPS_YES,
    ASNAP_GAPS_NO,
};

/* What the graph is made of, all of one moment. */
struct asnap_graph_facts {
    const struct asnap_memory *memory;
    uint64_t root_address;              /* of the table; 0: there are no hooks, and every block of
                                           the allocator is in the snapshot */
    const struct asnap_region *regions; /* the memory map, sorted by address */
    size_t region_count;
    const struct asnap_core_map *core; /* NULL: it is no core, or not read by its map */
    const struct asnap_thread *threads;
    size_t thread_count;
    const struct asnap_register *registers;
    size_t register_count;
    uint64_t main_stack; /* an address in the first thread's stack; 0: the region "[stack]" */
    bool no_heuristics;  /* an interior pointer is never ordinary (docs/commands.md, leaks) */
    uint32_t gaps;       /* asnap_gaps */
    uint64_t tag_mask; /* bits of pointers in which the program keeps other things; no address of a
                          block may have one of them */
    const struct asnap_progress *progress; /* may be NULL */
    /* Parts of the regions, sorted and apart from each other, that nothing was ever written to:
     * they are zeros, and not read. */
    const struct asnap_address_range *untouched;
    size_t untouched_count;
    uint64_t unsearched_bytes; /* among these that may hold something all the same */
    /* Where every block of the allocator is in the snapshot: what it keeps in the program's data,
     * sorted (asnap_heap_structures). Pointers there are none of the program's. */
    const struct asnap_address_range *structures;
    size_t structure_count;
    bool is_completed; /* those without a record were added (asnap_heap_add_earlier) */
};

struct asnap_graph;

/* Finds the roots, reads them and all blocks of `snapshot`, which was just made from the same
 * memory, and finds the class of each block. Keeps what it needs of the snapshot, and nothing
 * of `facts`. Fails with NO_MEMORY, INTERRUPTED, UNSUPPORTED (2^30 blocks or more), VERSION
 * where the hooks do not say which memory is theirs, and as asnap_status_read does. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_create(const struct asnap_snapshot *snapshot, const struct asnap_graph_facts *facts,
                   struct asnap_graph **graph);
ASNAP_API void asnap_graph_destroy(struct asnap_graph *graph);

/* What was missing, and how that errs, a line each. None: nothing is known to be. */
ASNAP_API size_t asnap_graph_note_count(const struct asnap_graph *graph);
ASNAP_API const char *asnap_graph_note(const struct asnap_graph *graph, size_t index);

/* Lends the roots that were searched. */
ASNAP_API const struct asnap_root *asnap_graph_roots(const struct asnap_graph *graph,
                                                     size_t *count);

/* The bytes and the number of the blocks of a class. */
ASNAP_API void asnap_graph_sum(const struct asnap_graph *graph, enum asnap_reach_class reach,
                               uint64_t *size, uint64_t *count);

/* No block of the graph. */
#define ASNAP_GRAPH_NO_BLOCK UINT32_MAX

/* What the graph knows of a block; it is a number in order of address. */
struct asnap_graph_block_info {
    struct asnap_trace trace;
    uint32_t reach; /* asnap_reach_class */
    uint32_t owner; /* of a DEFINITE or INDIRECT block: the definite one that stands for it */
    uint64_t indirect_size; /* of a DEFINITE block: what only it leads to, or it first */
    uint64_t indirect_count;
    uint64_t cycle_count;     /* of a DEFINITE block that lies on a cycle: blocks on it; else 0 */
    uint64_t reference_count; /* pointers in it to blocks */
    uint64_t referrer_count;  /* pointers to it in other blocks; 0 before asnap_graph_referrers */
};

/* How many blocks there are, and one of them, below that number. */
ASNAP_API uint32_t asnap_graph_block_count(const struct asnap_graph *graph);
ASNAP_API struct asnap_graph_block_info asnap_graph_block(const struct asnap_graph *graph,
                                                          uint32_t block);

/* The block that holds an address, the innermost; ASNAP_GRAPH_NO_BLOCK: none does. */
ASNAP_API uint32_t asnap_graph_find(const struct asnap_graph *graph, uint64_t address);

/* The block of a trace of the snapshot, or of one filtered from it. */
ASNAP_API uint32_t asnap_graph_block_of(const struct asnap_graph *graph,
                                        const struct asnap_trace *trace);

/* A snapshot of those blocks of `snapshot` (the graph's, or one made from it by filters and skip
 * rules) whose class is one of those in `classes`, a bit (1 << class) for each. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_select(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                   uint32_t classes, struct asnap_snapshot **selected);

/* A graph in which some blocks count as held by a root, whatever leads to them: reasons[block] is a
 * number below reason_count, or ASNAP_GRAPH_NO_BLOCK where it is not held. What they lead to is
 * classified anew; asnap_graph_select passes over those that are held. It has no pointers
 * (asnap_graph_has_pointers), and `graph` is none that this has made. Fails with NO_MEMORY or
 * INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_graph_hold(struct asnap_graph *graph,
                                                                const uint32_t *reasons,
                                                                uint32_t reason_count,
                                                                struct asnap_graph **made);

/* Of such a graph: the blocks that are held for a reason and were of one of `classes` (bits) in the
 * graph that it was made of; and other blocks that were, and are of none of these now. */
ASNAP_API void asnap_graph_held(const struct asnap_graph *graph, uint32_t reason, uint32_t classes,
                                uint64_t *size, uint64_t *count);
ASNAP_API void asnap_graph_released(const struct asnap_graph *graph, uint32_t classes,
                                    uint64_t *size, uint64_t *count);

/* Rules for blocks that are not to be shown as leaks: those of files, as LeakSanitizer has them
 * (docs/commands.md, suppressions), and built-in ones for what programs keep by design of the
 * C library, the loader and the C++ library. */
struct asnap_suppressions;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_suppressions_create(bool builtin, struct asnap_suppressions **suppressions);
ASNAP_API void asnap_suppressions_destroy(struct asnap_suppressions *suppressions);

/* Adds the rules of a file. Fails with IO, NO_MEMORY, and INVALID_ARGUMENT where a line is no rule,
 * which the message names; then some of the rules may have been added. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_suppressions_read(struct asnap_suppressions *suppressions, const char *path);

struct asnap_suppression {
    const char *rule; /* its pattern; of a built-in one its name */
    const char *path; /* of its file; NULL: it is built in */
    const char *what; /* of a built-in one what its blocks are; else NULL */
    uint32_t line;    /* in its file */
};

/* How many rules there are, and one of them, below that number: those of files first. It lives as
 * long as they do. */
ASNAP_API uint32_t asnap_suppressions_count(const struct asnap_suppressions *suppressions);
ASNAP_API struct asnap_suppression
asnap_suppressions_rule(const struct asnap_suppressions *suppressions, uint32_t number);

/* The graph of a snapshot, whose blocks of `classes` (bits) count as held where a rule matches
 * their stack: asnap_graph_hold, whose reasons are the numbers of the rules. A rule of a file
 * matches by the module, the function or the source of any frame; of several the first frame
 * counts, and then the first rule. `progress` may be NULL. Fails with NO_MEMORY, INTERRUPTED or
 * INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_suppress(struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                     const struct asnap_suppressions *suppressions, uint32_t classes,
                     const struct asnap_progress *progress, struct asnap_graph **made);

/* As asnap_snapshot_filter, of such a snapshot, by filters that may have classes. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_filter(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                   const struct asnap_filter *filters, size_t filter_count,
                   struct asnap_snapshot **filtered);

/* Whether it was computed, and has all pointers. One that was read from a file (asnap_graph_load),
 * or that asnap_graph_rename has made, has none: asnap_graph_references shows those between blocks
 * that are not REACHABLE, and what follows roots, or all pointers, fails with UNSUPPORTED. */
ASNAP_API bool asnap_graph_has_pointers(const struct asnap_graph *graph);

/* Something that points to a block. */
struct asnap_reference {
    uint64_t place; /* of a pointer in a root: its address, or which register of the facts */
    uint32_t block; /* the block that it is in, or that it leads to; ASNAP_GRAPH_NO_BLOCK: a root */
    uint32_t root;  /* which of asnap_graph_roots; UINT32_MAX: a block */
    bool inside;    /* it leads to the inside of the block, where that is not ordinary */
};

/* Up to `limit` of the pointers in `block` to other blocks, in the order in which they lie there;
 * one to the same block twice is there twice. Sets *count to those written. */
ASNAP_API void asnap_graph_references(const struct asnap_graph *graph, uint32_t block,
                                      struct asnap_reference *references, size_t limit,
                                      size_t *count);

/* The same, from the pointer number `first` on. */
ASNAP_API void asnap_graph_references_from(const struct asnap_graph *graph, uint32_t block,
                                           uint64_t first, struct asnap_reference *references,
                                           size_t limit, size_t *count);

/* Up to `limit` of all pointers in roots to blocks, from number `first` on; `block` is what each
 * leads to. They are in order of these blocks. Sets *count to those written. */
ASNAP_API void asnap_graph_root_references(const struct asnap_graph *graph, uint64_t first,
                                           struct asnap_reference *references, size_t limit,
                                           size_t *count);

/* Up to `limit` of the pointers to `block`: those in roots first, of these variables before other
 * memory, registers, stacks, and what mostly holds old values; then those in blocks, by address.
 * Sets *root_count and *block_count to how many there are in all. The first call takes the time
 * of a pass over all pointers. Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_referrers(struct asnap_graph *graph, uint32_t block, struct asnap_reference *references,
                      size_t limit, size_t *root_count, size_t *block_count);

/* Ways from a root to a block: the shortest first, and of equally short ones that from the first
 * root in the order of asnap_graph_referrers, each sharing neither a block nor a pointer in a root
 * with those before. `graph` must live as long. */
struct asnap_graph_paths;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_paths_create(struct asnap_graph *graph, uint32_t block,
                         struct asnap_graph_paths **paths);
/* The next one: lends the pointer in a root, and the blocks from there on, the last of them the
 * block that is asked for; they live until the next call. *count is 0 where there is none. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_paths_next(struct asnap_graph_paths *paths, struct asnap_reference *root,
                       const uint32_t **blocks, size_t *count);
ASNAP_API void asnap_graph_paths_destroy(struct asnap_graph_paths *paths);

/* Computes what each block keeps alive, once: what would become unreachable without it. Any
 * pointer holds a block. Fails with NO_MEMORY or INTERRUPTED. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_retain(struct asnap_graph *graph, const struct asnap_progress *progress);

/* Of a block, after asnap_graph_retain: its own bytes among them. */
ASNAP_API void asnap_graph_retained(const struct asnap_graph *graph, uint32_t block, uint64_t *size,
                                    uint64_t *count);

/* The `count` blocks (of all, at most) that retain most: by retained size, then by address. */
ASNAP_API void asnap_graph_top(const struct asnap_graph *graph, size_t count, uint32_t *blocks);

/* Of groups of blocks, after asnap_graph_retain: the sum of what those of its blocks retain that
 * no other block of the group dominates, so that no block counts twice. `groups` has the group of
 * each of `trace_count` traces, below group_count, or UINT32_MAX. Adds to `sizes` and `counts`.
 * Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_retained_by(const struct asnap_graph *graph, const struct asnap_trace *traces,
                        size_t trace_count, const uint32_t *groups, uint32_t group_count,
                        uint64_t *sizes, uint64_t *counts);

/* Likewise, what would become unreachable without all blocks of a group, these among it: also what
 * several of them together keep alive. It is set, not added. Each group takes the time of a pass
 * over all pointers. Leaked blocks count as held. Fails with NO_MEMORY or INTERRUPTED. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_retained_exactly(const struct asnap_graph *graph, const struct asnap_trace *traces,
                             size_t trace_count, const uint32_t *groups, uint32_t group_count,
                             const struct asnap_progress *progress, uint64_t *sizes,
                             uint64_t *counts);

/* The thread-local variables of a file that a thread has. */
struct asnap_thread_local {
    uint64_t start; /* of the thread's copy of the file's PT_TLS segment */
    uint64_t end;
    uint64_t file;   /* where the file begins in memory */
    uint32_t thread; /* its place among the facts' */
};

/* Finds those of all threads, as glibc lays them out: static storage by the thread pointer, other
 * by the vector that it leads to. What looks otherwise is left out. Of `facts` memory, regions,
 * core and threads are looked at. Fails with NO_MEMORY or INTERRUPTED. */
struct asnap_thread_local_list;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_thread_local_list_create(const struct asnap_graph_facts *facts,
                               struct asnap_thread_local_list **list);
ASNAP_API void asnap_thread_local_list_destroy(struct asnap_thread_local_list *list);

/* Lends the one that holds an address, or NULL. */
ASNAP_API const struct asnap_thread_local *
asnap_thread_local_list_find(const struct asnap_thread_local_list *list, uint64_t address);

/* As asnap_snapshot_dump, of the graph's snapshot or one made from that by filters, with what the
 * graph knows of its blocks: classes, what hangs below leaked ones, what each keeps alive (as by
 * asnap_graph_retain), notes. Fails with IO, NO_MEMORY or INTERRUPTED. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_dump(struct asnap_graph *graph, const struct asnap_snapshot *snapshot, const char *path,
                 const struct asnap_attribute *attributes, size_t attribute_count,
                 const struct asnap_progress *progress);

/* As asnap_snapshot_load; *graph becomes the graph of the snapshot, NULL where the file has none.
 */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_load(const char *path, struct asnap_snapshot **snapshot, struct asnap_graph **graph);

/* The graph of `named`, which asnap_snapshot_symbolize has made of `snapshot`, that of `graph` or
 * one made from it by filters; and the types of its objects. It has what asnap_graph_dump would
 * write. Fails with NO_MEMORY or INTERRUPTED. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_graph_rename(struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                   const struct asnap_snapshot *named, const struct asnap_progress *progress,
                   struct asnap_graph **made);

/* The vtables that the blocks of a snapshot begin with, for statistics by type: of an object of a
 * class, or of an array of such, after the number that operator new[] keeps there (Itanium C++
 * ABI); and the type objects of CPython's objects (ob_type), where the program has that. `snapshot`
 * and `facts` are as for asnap_graph_create; of the facts only memory, regions and core are looked
 * at. Fails with NO_MEMORY or INTERRUPTED. */
struct asnap_vtable_list;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_vtable_list_create(const struct asnap_snapshot *snapshot,
                         const struct asnap_graph_facts *facts, struct asnap_vtable_list **list);
ASNAP_API void asnap_vtable_list_destroy(struct asnap_vtable_list *list);

/* Lends the addresses of the vtables and type objects, ascending. */
ASNAP_API const uint64_t *asnap_vtable_list_addresses(const struct asnap_vtable_list *list,
                                                      size_t *count);

/* Whether an address, by its place among them, is that of a type object of CPython; then *name is
 * lent that of the type (tp_name), or NULL where it cannot be read. */
ASNAP_API bool asnap_vtable_list_python(const struct asnap_vtable_list *list, size_t index,
                                        const char **name);

/* Tells the snapshot, and all that are made of it by filters, the names of the classes, one for
 * each vtable; NULL: it is none after all. Once. Fails with NO_MEMORY or INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_vtable_list_name(const struct asnap_vtable_list *list, const struct asnap_snapshot *snapshot,
                       const char *const *names);

/* What owns the blocks of a graph, for statistics by owner: the last C++ object with a class on the
 * shortest way from a root to the block, itself included, and else the root that the way begins in.
 * Ways from files, thread-local storage and mappings come before any from stacks, these before
 * registers, and these before what mostly holds old values; of equally short ones of the former
 * that from a variable, and then the first by address. Classes are those that
 * the snapshot was told (asnap_vtable_list_name). `snapshot` is the graph's. Fails with NO_MEMORY,
 * INTERRUPTED, and UNSUPPORTED where the graph has no pointers. */
struct asnap_owner_list;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_owner_list_create(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                        const struct asnap_progress *progress, struct asnap_owner_list **list);
ASNAP_API void asnap_owner_list_destroy(struct asnap_owner_list *list);

/* Lends the pointers in roots that ways to blocks without such an object begin with, by root and
 * place; `block` is what each leads to. */
ASNAP_API const struct asnap_reference *asnap_owner_list_roots(const struct asnap_owner_list *list,
                                                               size_t *count);

/* Tells the snapshot, and all that are made of it by filters, the names of the owners: one for each
 * of these pointers, of which several may have the same. Once. Fails with NO_MEMORY or
 * INVALID_ARGUMENT. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_owner_list_name(const struct asnap_owner_list *list, const struct asnap_snapshot *snapshot,
                      const char *const *names);

#ifdef __cplusplus
}
#endif

#endif
