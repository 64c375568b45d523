#include "py_tables.h"

#include <stdlib.h>
#include <string.h>

/* struct _tracemalloc_runtime_state on a 64-bit machine; the lock of 3.14, a byte, is filled up to
 * a word. Three allocators of five words follow the configuration. */
enum {
    INITIALIZED = 0,
    TRACING = 4,
    FRAME_LIMIT = 8,
    PADDING = 12,
    LOCK = 136,
    TRACED = 144,
    PEAK = 152,
    FILENAMES = 160,
    TRACEBACKS = 176,
    TRACES = 184,
    DOMAINS = 192,
    EMPTY_COUNT = 208, /* of the frames of the traceback for where there is no frame */
    EMPTY_TOTAL = 210,
    EMPTY_NAME = 212,
    EMPTY_LINE = 220,
    STATE_BYTES = 224,
};

enum {
    FRAMES_MOST = 65535,
    LARGEST_PART = 4 << 20, /* of a file's writable memory that is looked through */
    NEIGHBOURS = 16,        /* words within which the file statics lie */
};

/* Whether what can be seen in the state's own bytes is as it must be. */
static bool looks_like_state(const uint8_t *bytes)
{
    uint32_t limit = asnap_py_u32(bytes + FRAME_LIMIT);
    return asnap_py_u32(bytes + INITIALIZED) == 1 && asnap_py_u32(bytes + TRACING) <= 1 &&
           limit >= 1 && limit <= FRAMES_MOST && asnap_py_u32(bytes + PADDING) == 0 &&
           asnap_py_u16(bytes + EMPTY_COUNT) == 1 && asnap_py_u16(bytes + EMPTY_TOTAL) == 1 &&
           asnap_py_u64(bytes + EMPTY_NAME) != 0 && asnap_py_u32(bytes + EMPTY_LINE) == 0;
}

static struct asnap_error *check_tables(const struct asnap_py_memory *py, const uint8_t *bytes,
                                        bool *are_tables)
{
    static const int places[] = {FILENAMES, TRACEBACKS, TRACES, DOMAINS};
    struct asnap_error *error = NULL;
    *are_tables = true;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && error == NULL && *are_tables;
         i++) {
        struct asnap_py_table table;
        error = asnap_py_table_read(py, asnap_py_u64(bytes + places[i]), false, &table, are_tables);
    }
    return error;
}

/* The bytes of [start, end), which the caller frees; NULL where they cannot be read. */
static struct asnap_error *read_part(const struct asnap_py_memory *py, uint64_t start, uint64_t end,
                                     uint8_t **bytes)
{
    bool is_read = false;
    struct asnap_error *error = NULL;
    *bytes = NULL;
    if (end <= start || end - start > LARGEST_PART)
        return NULL;
    uint8_t *part = malloc((size_t)(end - start));
    if (part == NULL)
        return asnap_error_no_memory();
    error = asnap_py_read(py, start, part, (size_t)(end - start), &is_read);
    if (error == NULL && is_read) {
        *bytes = part;
        return NULL;
    }
    free(part);
    return error;
}

struct asnap_error *asnap_py_state_find(const struct asnap_py_memory *py, uint64_t start,
                                        uint64_t end, struct asnap_py_state *state, bool *found)
{
    uint8_t *part;
    *found = false;
    start = (start + 7) & ~UINT64_C(7);
    struct asnap_error *error = read_part(py, start, end, &part);
    if (error != NULL || part == NULL)
        return error;
    for (size_t at = 0; error == NULL && !*found && at + STATE_BYTES <= end - start; at += 8) {
        const uint8_t *bytes = part + at;
        if (!looks_like_state(bytes))
            continue;
        error = check_tables(py, bytes, found);
        if (error != NULL || !*found)
            continue;
        *state = (struct asnap_py_state){
            .traces = asnap_py_u64(bytes + TRACES),
            .domains = asnap_py_u64(bytes + DOMAINS),
            .traced_size = asnap_py_u64(bytes + TRACED),
            .peak_size = asnap_py_u64(bytes + PEAK),
            .is_tracing = asnap_py_u32(bytes + TRACING) == 1,
            .frame_limit = asnap_py_u32(bytes + FRAME_LIMIT),
            .lock = asnap_py_u64(bytes + LOCK),
        };
    }
    free(part);
    return error;
}

/* ---- file statics ---- */

/* What a word of the file's memory leads to. */
struct candidate {
    size_t place; /* of the word */
    struct asnap_py_table table;
};

/* The tables that words lead to, as they come. */
struct candidates {
    struct candidate found[64];
    size_t count;
};

static struct asnap_error *list_tables(const struct asnap_py_memory *py, const uint8_t *part,
                                       size_t words, bool holds_copies,
                                       struct candidates *candidates)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < words && error == NULL; i++) {
        uint64_t address = asnap_py_u64(part + i * 8);
        const struct asnap_region *region = asnap_py_region(py, address);
        struct candidate *next = &candidates->found[candidates->count];
        bool is_table;
        /* The tables are blocks from malloc. */
        if (region == NULL || (region->flags & ASNAP_REGION_WRITABLE) == 0 ||
            (region->path != NULL && region->path[0] == '/') || address % 16 != 0)
            continue;
        error = asnap_py_table_read(py, address, holds_copies, &next->table, &is_table);
        next->place = i;
        if (error == NULL && is_table &&
            candidates->count + 1 < sizeof(candidates->found) / sizeof(candidates->found[0]))
            candidates->count++;
        if (error == NULL && i % 4096 == 4095)
            error = asnap_py_ask(py, "looking for tracemalloc's tables", i, words);
    }
    return error;
}

static bool is_near(const struct candidate *left, const struct candidate *right)
{
    size_t apart =
        left->place > right->place ? left->place - right->place : right->place - left->place;
    return apart != 0 && apart <= NEIGHBOURS;
}

static uint64_t function(const struct candidate *candidate, enum asnap_py_function which)
{
    return candidate->table.functions[which];
}

/* Whether a table is the one of traces: of 3.8, its entries hold a size and a traceback; of later
 * versions, it alone finds entries by pointers, and its values are freed. */
static bool is_traces(const struct candidate *candidate)
{
    const struct asnap_py_table *table = &candidate->table;
    if (table->holds_copies)
        return table->data_size == 16 && (table->key_size == 8 || table->key_size == 12);
    return function(candidate, ASNAP_PY_DESTROY_KEY) == 0 &&
           function(candidate, ASNAP_PY_DESTROY_VALUE) != 0;
}

/* Whether another one is that of the tracebacks: its values are freed as those of traces (later
 * than 3.8), and its entries are found in another way. */
static bool is_tracebacks(const struct candidate *candidate, const struct candidate *traces)
{
    const struct asnap_py_table *table = &candidate->table;
    if (table->holds_copies)
        return table->data_size == 0 && table->key_size == 8;
    return function(candidate, ASNAP_PY_DESTROY_KEY) == 0 &&
           function(candidate, ASNAP_PY_DESTROY_VALUE) ==
               function(traces, ASNAP_PY_DESTROY_VALUE) &&
           function(candidate, ASNAP_PY_GET_ENTRY) != function(traces, ASNAP_PY_GET_ENTRY) &&
           function(candidate, ASNAP_PY_COMPARE) != function(traces, ASNAP_PY_COMPARE);
}

/* File names have keys to be given back, and no values. */
static bool is_filenames(const struct candidate *candidate, const struct candidate *tracebacks)
{
    const struct asnap_py_table *table = &candidate->table;
    if (table->holds_copies)
        return table->data_size == 0 && table->key_size == 8 &&
               function(candidate, ASNAP_PY_HASH) != function(tracebacks, ASNAP_PY_HASH);
    return function(candidate, ASNAP_PY_DESTROY_KEY) != 0 &&
           function(candidate, ASNAP_PY_DESTROY_VALUE) == 0 &&
           function(candidate, ASNAP_PY_GET_ENTRY) == function(tracebacks, ASNAP_PY_GET_ENTRY);
}

/* Other domains' tables are compared as traces are, found as tracebacks are, and given back in a
 * way of their own. */
static bool is_domains(const struct candidate *candidate, const struct candidate *traces,
                       const struct candidate *tracebacks)
{
    return !candidate->table.holds_copies && function(candidate, ASNAP_PY_DESTROY_KEY) == 0 &&
           function(candidate, ASNAP_PY_COMPARE) == function(traces, ASNAP_PY_COMPARE) &&
           function(candidate, ASNAP_PY_GET_ENTRY) == function(tracebacks, ASNAP_PY_GET_ENTRY) &&
           function(candidate, ASNAP_PY_DESTROY_VALUE) != 0 &&
           function(candidate, ASNAP_PY_DESTROY_VALUE) != function(traces, ASNAP_PY_DESTROY_VALUE);
}

/* The roles that the tables near one of traces can have. */
struct roles {
    const struct candidate *tracebacks;
    const struct candidate *filenames;
    const struct candidate *domains;
};

static struct roles roles_near(const struct candidates *candidates, const struct candidate *traces)
{
    struct roles roles = {0};
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *one = &candidates->found[i];
        if (is_near(one, traces) && roles.tracebacks == NULL && is_tracebacks(one, traces))
            roles.tracebacks = one;
    }
    for (size_t i = 0; i < candidates->count && roles.tracebacks != NULL; i++) {
        const struct candidate *one = &candidates->found[i];
        if (!is_near(one, traces) || one == roles.tracebacks)
            continue;
        if (is_filenames(one, roles.tracebacks))
            roles.filenames = one;
        if (is_domains(one, traces, roles.tracebacks))
            roles.domains = one;
    }
    return roles;
}

struct asnap_error *asnap_py_statics_find(const struct asnap_py_memory *py, uint64_t start,
                                          uint64_t end, bool holds_copies,
                                          struct asnap_py_state *state, bool *found)
{
    uint8_t *part;
    *found = false;
    struct asnap_error *error = read_part(py, start, end, &part);
    if (error != NULL || part == NULL)
        return error;
    struct candidates *candidates = calloc(1, sizeof(*candidates));
    if (candidates == NULL)
        error = asnap_error_no_memory();
    else
        error = list_tables(py, part, (size_t)(end - start) / 8, holds_copies, candidates);
    for (size_t i = 0; error == NULL && !*found && i < candidates->count; i++) {
        const struct candidate *traces = &candidates->found[i];
        if (!is_traces(traces))
            continue;
        struct roles roles = roles_near(candidates, traces);
        *found = roles.filenames != NULL && (holds_copies || roles.domains != NULL);
        state->traces = traces->table.address;
        state->domains = roles.domains == NULL ? 0 : roles.domains->table.address;
    }
    free(candidates);
    free(part);
    return error;
}

/* ---- the memory of a file ---- */

static bool is_part_of(const struct asnap_py_memory *py, size_t place, const char *path)
{
    const struct asnap_region *region = &py->regions[place];
    if ((region->flags & ASNAP_REGION_WRITABLE) == 0)
        return false;
    if (region->path != NULL && region->path[0] != '\0')
        return strcmp(region->path, path) == 0;
    /* Zeros that the file does not hold follow its last piece. */
    const struct asnap_region *before = place == 0 ? NULL : &py->regions[place - 1];
    return before != NULL && before->end == region->start && before->path != NULL &&
           strcmp(before->path, path) == 0;
}

struct asnap_error *asnap_py_each_part(const struct asnap_py_memory *py, const char *path,
                                       asnap_py_look *look, void *context, bool *found)
{
    struct asnap_error *error = NULL;
    *found = false;
    for (size_t i = 0; path != NULL && i < py->region_count && error == NULL && !*found; i++) {
        uint64_t start = py->regions[i].start;
        if (!is_part_of(py, i, path))
            continue;
        /* What lies on both sides of where the file ends is one piece. */
        while (i + 1 < py->region_count && py->regions[i + 1].start == py->regions[i].end &&
               is_part_of(py, i + 1, path))
            i++;
        error = look(context, start, py->regions[i].end, found);
    }
    return error;
}
