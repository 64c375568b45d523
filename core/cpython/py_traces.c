#include "py_traces.h"

#include <inttypes.h>
#include <stdlib.h>

#include "grow.h"
#include "intern.h"

enum {
    VERSION_3_9 = 0x03090000,
    ENTRY_BYTES = 32,    /* of a table: the next one, a hash, a key, a pointer to the trace */
    TRACE_BYTES = 16,    /* trace_t: a size, and the address of a traceback */
    KEY_WITH_DOMAIN = 12 /* of 3.8, once a domain beside 0 is used */
};

static const char step[] = "reading traces";

struct reading {
    const struct asnap_py_memory *py;
    struct asnap_py_traces *made;
    const struct asnap_py_table *table; /* that is walked */
    uint32_t domain;
    struct asnap_intern index; /* of the tracebacks */
    uint64_t traceback;        /* the last one, and its place */
    uint32_t place;
    struct asnap_wanted *apart; /* traces that are not near their entries */
    size_t apart_count;
    size_t apart_capacity;
};

static bool same_traceback(const void *context, uint32_t place)
{
    const struct reading *reading = context;
    return reading->made->tracebacks[place] == reading->traceback;
}

/* Makes reading->place that of a traceback, which is numbered where it is a new one. */
static struct asnap_error *number_traceback(struct reading *reading, uint64_t address)
{
    struct asnap_py_traces *made = reading->made;
    if (address == reading->traceback)
        return NULL;
    uint32_t hash = asnap_hash_end(asnap_hash_mix(0, address));
    reading->traceback = address;
    reading->place = asnap_intern_find(&reading->index, hash, same_traceback, reading);
    if (reading->place != ASNAP_NONE)
        return NULL;
    uint64_t *tracebacks = asnap_grow(made->tracebacks, &made->traceback_capacity,
                                      made->traceback_count + 1, sizeof(*tracebacks));
    if (tracebacks == NULL)
        return asnap_error_no_memory();
    made->tracebacks = tracebacks;
    struct asnap_error *error = asnap_intern_reserve(&reading->index);
    if (error != NULL)
        return error;
    reading->place = (uint32_t)made->traceback_count++;
    tracebacks[reading->place] = address;
    asnap_intern_add(&reading->index, hash, reading->place);
    return NULL;
}

/* Gives a trace what its trace_t says. */
static struct asnap_error *set_trace(struct reading *reading, struct asnap_trace *trace,
                                     const uint8_t *bytes)
{
    uint64_t traceback = asnap_py_u64(bytes + 8);
    trace->size = asnap_py_u64(bytes);
    trace->traceback_id = ASNAP_NONE;
    if (trace->size > INT64_MAX / 2) {
        reading->made->bad_sizes++;
        return NULL;
    }
    if (traceback == 0) {
        reading->made->unreadable++;
        return NULL;
    }
    reading->made->size += trace->size;
    struct asnap_error *error = number_traceback(reading, traceback);
    trace->traceback_id = reading->place;
    return error;
}

static struct asnap_error *put_apart(struct reading *reading, uint64_t address)
{
    if (reading->apart_count == reading->apart_capacity) {
        struct asnap_wanted *apart = asnap_grow(reading->apart, &reading->apart_capacity,
                                                reading->apart_count + 1, sizeof(*apart));
        if (apart == NULL)
            return asnap_error_no_memory();
        reading->apart = apart;
    }
    reading->apart[reading->apart_count++] = (struct asnap_wanted){
        .address = address, .size = TRACE_BYTES, .place = (uint32_t)reading->made->count};
    return NULL;
}

/* An entry of a table of traces. */
static struct asnap_error *take_entry(void *context, const uint8_t *key, const uint8_t *data,
                                      const struct asnap_py_window *window)
{
    struct reading *reading = context;
    struct asnap_py_traces *made = reading->made;
    const struct asnap_py_table *table = reading->table;
    if (made->count == made->capacity) {
        struct asnap_trace *traces =
            asnap_grow(made->traces, &made->capacity, made->count + 1, sizeof(*traces));
        if (traces == NULL)
            return asnap_error_no_memory();
        made->traces = traces;
    }
    struct asnap_trace *trace = &made->traces[made->count];
    *trace = (struct asnap_trace){.address = asnap_py_u64(key),
                                  .domain = reading->domain,
                                  .traceback_id = ASNAP_NONE,
                                  .time = ASNAP_TIME_UNKNOWN};
    if (table->holds_copies && table->key_size == KEY_WITH_DOMAIN)
        trace->domain = asnap_py_u32(key + 8);
    uint64_t address = table->holds_copies ? 0 : asnap_py_u64(data);
    const uint8_t *bytes =
        table->holds_copies ? data : asnap_py_in_window(window, address, TRACE_BYTES);
    struct asnap_error *error =
        bytes != NULL ? set_trace(reading, trace, bytes) : put_apart(reading, address);
    made->count++;
    return error;
}

/* Makes room for the traces that a table says it has, as far as there can be so many. */
static struct asnap_error *make_room(struct reading *reading, const struct asnap_py_table *table)
{
    struct asnap_py_traces *made = reading->made;
    uint64_t most = reading->py->readable / (ENTRY_BYTES + TRACE_BYTES);
    uint64_t count = table->entry_count < most ? table->entry_count : most;
    struct asnap_trace *traces =
        asnap_grow(made->traces, &made->capacity, made->count + (size_t)count + 1, sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    made->traces = asnap_in_huge_pages(traces, made->capacity * sizeof(*traces));
    return NULL;
}

static struct asnap_error *walk_table(struct reading *reading, const struct asnap_py_table *table,
                                      uint32_t domain)
{
    reading->table = table;
    reading->domain = domain;
    reading->made->entry_count += table->entry_count;
    struct asnap_error *error = make_room(reading, table);
    if (error == NULL)
        error = asnap_py_table_walk(reading->py, table, step, take_entry, reading,
                                    &reading->made->walk);
    reading->table = NULL;
    return error;
}

/* ---- other domains ---- */

struct domain_table {
    uint64_t domain;
    uint64_t table;
};

struct domain_list {
    struct domain_table *domains;
    size_t count;
    size_t capacity;
};

static struct asnap_error *take_domain(void *context, const uint8_t *key, const uint8_t *data,
                                       const struct asnap_py_window *window)
{
    (void)window;
    struct domain_list *list = context;
    struct domain_table *domains =
        asnap_grow(list->domains, &list->capacity, list->count + 1, sizeof(*domains));
    if (domains == NULL)
        return asnap_error_no_memory();
    list->domains = domains;
    domains[list->count++] =
        (struct domain_table){.domain = asnap_py_u64(key), .table = asnap_py_u64(data)};
    return NULL;
}

/* The domains' tables have the functions of that of the traces. */
static bool is_alike(const struct asnap_py_table *table, const struct asnap_py_table *traces)
{
    bool alike = table->holds_copies == traces->holds_copies;
    for (int i = 0; i < ASNAP_PY_FUNCTIONS; i++)
        alike = alike && table->functions[i] == traces->functions[i];
    return alike;
}

static struct asnap_error *walk_domains(struct reading *reading, uint64_t address,
                                        const struct asnap_py_table *traces)
{
    const struct asnap_py_memory *py = reading->py;
    struct asnap_py_traces *made = reading->made;
    struct asnap_py_table table;
    struct asnap_py_walk walk = {0};
    struct domain_list list = {0};
    bool is_table;
    struct asnap_error *error = asnap_py_table_read(py, address, false, &table, &is_table);
    if (error == NULL && !is_table) {
        made->bad_tables++;
        return NULL;
    }
    if (error == NULL)
        error = asnap_py_table_walk(py, &table, step, take_domain, &list, &walk);
    if (error == NULL && (walk.visited != table.entry_count || walk.unreadable != 0))
        made->bad_tables++;
    for (size_t i = 0; i < list.count && error == NULL; i++) {
        const struct domain_table *one = &list.domains[i];
        error = asnap_py_table_read(py, one->table, false, &table, &is_table);
        if (error != NULL)
            break;
        if (!is_table || !is_alike(&table, traces) || one->domain > UINT32_MAX)
            made->bad_tables++;
        else
            error = walk_table(reading, &table, (uint32_t)one->domain);
    }
    free(list.domains);
    return error;
}

/* ---- what is apart, and what is left out ---- */

static struct asnap_error *take_trace(void *context, const struct asnap_wanted *wanted,
                                      const uint8_t *bytes, const struct asnap_py_window *window)
{
    (void)window;
    struct reading *reading = context;
    if (bytes != NULL)
        return set_trace(reading, &reading->made->traces[wanted->place], bytes);
    reading->made->unreadable++;
    return NULL;
}

/* Leaves out traces without a traceback and those of sizes that cannot be. */
static void leave_out(struct asnap_py_traces *made)
{
    size_t kept = 0;
    for (size_t i = 0; i < made->count; i++) {
        if (made->traces[i].traceback_id != ASNAP_NONE)
            made->traces[kept++] = made->traces[i];
    }
    made->count = kept;
}

static int by_domain_and_address(const void *left, const void *right)
{
    const struct asnap_trace *a = left;
    const struct asnap_trace *b = right;
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    return (a->address > b->address) - (a->address < b->address);
}

/* A table has each address once; lists that lead into each other may give it twice. */
static void leave_out_repeated(struct asnap_py_traces *made)
{
    size_t kept = 0;
    if (made->count > 1)
        qsort(made->traces, made->count, sizeof(*made->traces), by_domain_and_address);
    for (size_t i = 0; i < made->count; i++) {
        if (kept > 0 && by_domain_and_address(&made->traces[kept - 1], &made->traces[i]) == 0)
            made->size -= made->traces[i].size;
        else
            made->traces[kept++] = made->traces[i];
    }
    made->repeated = made->count - kept;
    made->count = kept;
}

static struct asnap_error *read_all(struct reading *reading, const struct asnap_cpython *cpython,
                                    bool holds_copies)
{
    struct asnap_py_table table;
    bool is_table;
    struct asnap_error *error =
        asnap_py_table_read(reading->py, cpython->traces, holds_copies, &table, &is_table);
    if (error == NULL && !is_table)
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "there is no table of traces at 0x%" PRIx64
                                  ", where this %s has it: the program has overwritten it, or the "
                                  "core is truncated",
                                  cpython->traces, cpython->name);
    if (error == NULL)
        error = walk_table(reading, &table, 0);
    if (error == NULL && cpython->domains != 0 && !holds_copies)
        error = walk_domains(reading, cpython->domains, &table);
    if (error == NULL && reading->made->count >= UINT32_MAX)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "tracemalloc has %zu traces: 4294967294 are the most that can "
                                  "be read",
                                  reading->made->count);
    return error != NULL ? error
                         : asnap_py_gather(reading->py, reading->apart, reading->apart_count, step,
                                           take_trace, reading);
}

struct asnap_error *asnap_py_traces_read(const struct asnap_py_memory *py,
                                         const struct asnap_cpython *cpython,
                                         struct asnap_py_traces *made)
{
    struct reading reading = {.py = py, .made = made};
    *made = (struct asnap_py_traces){0};
    struct asnap_error *error = read_all(&reading, cpython, cpython->version < VERSION_3_9);
    asnap_intern_deinit(&reading.index);
    free(reading.apart);
    if (error != NULL)
        return error;
    if (made->unreadable != 0 || made->bad_sizes != 0)
        leave_out(made);
    if (made->walk.misplaced != 0 || made->walk.visited != made->entry_count)
        leave_out_repeated(made);
    return NULL;
}

void asnap_py_traces_deinit(struct asnap_py_traces *made)
{
    free(made->traces);
    free(made->tracebacks);
}
