/* What the snapshots and statistics of one taking share: names, locations,
 * frames, tracebacks and notes. Reference-counted, and immutable once the
 * builder has closed it. Everything is a flat array of numbers or text. */
#ifndef ASNAP_MODEL_STORE_H
#define ASNAP_MODEL_STORE_H

#include <stdatomic.h>

#include "block_types.h"
#include "names.h"

/* What two frames must have in common to be one row. In a closed store, the
 * number of a location is its rank in tracemalloc's order of frames. */
struct asnap_location {
    uint32_t file;
    uint32_t lineno;
    uint32_t function; /* where lineno is 0, else ASNAP_NONE: it is all that tells such
                          places of one module apart */
};

struct asnap_stored_frame {
    uint32_t location;
    uint32_t function; /* ASNAP_NONE where unknown */
    bool inlined;
    uint8_t named_by;   /* takes no part in comparisons: one address has one name */
    uint32_t mapping;   /* that the address lies in, ASNAP_NONE where unknown */
    uint32_t allocates; /* the type of what the call returns: its number in `allocated`, plus 1; 0
                           where unknown; takes no part in comparisons */
    uint64_t address;   /* the return address it stands for, 0 where unknown */
    uint64_t offset;    /* as in asnap_place; takes no part in comparisons */
};

struct asnap_domain {
    uint32_t number;
    char *name;
};

struct asnap_stored_attribute {
    char *name;
    char *value;
};

struct asnap_stored_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    uint32_t path; /* in mapping_names */
    uint32_t build_id;
};

struct asnap_store {
    _Atomic size_t references;
    /* In a closed store, both are in order (asnap_utf8_compare). */
    struct asnap_names files;
    struct asnap_names functions;
    struct asnap_names allocated; /* names of types */
    struct asnap_location *locations;
    size_t location_count;
    struct asnap_stored_frame *frames;
    size_t frame_count;
    uint32_t *frame_order; /* all frames by location, function number, inlined, address,
                              mapping */
    uint32_t *frame_ids;   /* of all tracebacks, each most recent first */
    size_t frame_id_count;
    struct asnap_traceback *tracebacks;
    size_t traceback_count;
    char **notes;
    size_t note_count;
    struct asnap_domain *domains; /* those that have a name, by number */
    size_t domain_count;
    struct asnap_stored_attribute *attributes; /* by name */
    size_t attribute_count;
    struct asnap_stored_mapping *mappings;
    size_t mapping_count;
    struct asnap_names mapping_names;
    uint32_t *threads; /* the kernel's number of each; the first is 0: not known */
    size_t thread_count;
    struct asnap_types *types;  /* NULL: not found out. Set once, after the store was closed */
    struct asnap_types *owners; /* likewise */
    uint64_t start_time;    /* of the traces' times, nanoseconds since 1970; 0: they have none */
    uint64_t sample_period; /* of the sample that the traces are; 0: every block is there */
};

/* An empty store with one reference; NULL where memory is short. */
struct asnap_store *asnap_store_create(void);

struct asnap_store *asnap_store_share(struct asnap_store *store);

/* Gives a reference back; accepts NULL. */
void asnap_store_release(struct asnap_store *store);

/* Closes a store: puts names, locations and frames in order. */
struct asnap_error *asnap_store_close(struct asnap_store *store);

/* The order of frame_order: below 0 where frame `left` comes first, 0 where the two
 * are the same. The store is closed but for frame_order. */
int asnap_store_compare_frames(const struct asnap_store *store, uint32_t left, uint32_t right);

/* The order of locations in a closed store. */
int asnap_location_compare(const struct asnap_location *left, const struct asnap_location *right);

/* Each copies what it adds (store_lists.c). */
struct asnap_error *asnap_store_add_note(struct asnap_store *store, const char *note);
struct asnap_error *asnap_store_name_domain(struct asnap_store *store, uint32_t number,
                                            const char *name);
struct asnap_error *asnap_store_set_attribute(struct asnap_store *store, const char *name,
                                              const char *value);
struct asnap_error *asnap_store_add_mapping(struct asnap_store *store,
                                            const struct asnap_mapping *mapping);

struct asnap_error *asnap_store_set_threads(struct asnap_store *store, const uint32_t *threads,
                                            size_t count);

/* Puts attributes into a store of their own: sorted, each name once. */
struct asnap_error *asnap_attributes_create(const struct asnap_attribute *attributes, size_t count,
                                            struct asnap_store **store);
void asnap_store_lists_deinit(struct asnap_store *store);

/* Where the name of a frame is from, as far as the name itself shows it. */
static inline uint8_t asnap_named_by_default(bool inlined, uint32_t lineno, bool has_function)
{
    if (inlined)
        return ASNAP_NAMED_INLINE;
    if (lineno != 0)
        return ASNAP_NAMED_LINE;
    return has_function ? ASNAP_NAMED_SYMBOL : ASNAP_NAMED_NONE;
}

/* The same of a frame in a store whose names may not be in order yet. */
static inline uint8_t asnap_store_named_by_default(const struct asnap_store *store,
                                                   const struct asnap_stored_frame *frame)
{
    return asnap_named_by_default(frame->inlined, store->locations[frame->location].lineno,
                                  frame->function != ASNAP_NONE);
}

/* A frame's public form; the strings live as long as the store. */
struct asnap_frame asnap_store_frame(const struct asnap_store *store, uint32_t frame_id);

/* Where a frame's code lies; the strings live as long as the store. */
struct asnap_place asnap_store_place(const struct asnap_store *store, uint32_t frame_id);

/* The frames of a traceback, most recent first. */
static inline const uint32_t *asnap_store_frame_ids(const struct asnap_store *store,
                                                    uint32_t traceback)
{
    return store->frame_ids + store->tracebacks[traceback].first;
}

/* The name of a function, NULL for ASNAP_NONE. */
static inline const char *asnap_store_function(const struct asnap_store *store, uint32_t function)
{
    return function == ASNAP_NONE ? NULL : asnap_names_get(&store->functions, function);
}

/* The place in `domains` of the first one whose number is not below `number`. */
size_t asnap_store_domain(const struct asnap_store *store, uint32_t number);

/* Orders the functions of a closed store by name, no name first. */
static inline int asnap_function_compare(uint32_t left, uint32_t right)
{
    /* ASNAP_NONE is the largest number, and 0 with 1 added. */
    return (left + 1 > right + 1) - (left + 1 < right + 1);
}

#endif
