#include "py_traces.h"

#include <inttypes.h>
#include <stdlib.h>

#include "grow.h"
#include "intern.h"

enum {
    VERSION_3_9 = 0x03090000,
    TRACE_BYTES = 16,    /* trace_t: a size, and the address of a traceback */
    KEY_WITH_DOMAIN = 12 /* of 3.8, once a domain beside 0 is used */
};

static const char step[] = "reading traces";

struct reading {
    struct asnap_py_traces *made;
    const struct asnap_py_table *table; /* that is walked */
    uint32_t domain;
};

static struct asnap_error *add_trace(struct asnap_py_traces *made, const struct asnap_trace *trace,
                                     uint64_t link)
{
    struct asnap_trace *traces =
        asnap_grow(made->traces, &made->capacity, made->count + 1, sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    made->traces = traces;
    uint64_t *links =
        asnap_grow(made->links, &made->link_capacity, made->count + 1, sizeof(*links));
    if (links == NULL)
        return asnap_error_no_memory();
    made->links = links;
    traces[made->count] = *trace;
    links[made->count++] = link;
    return NULL;
}

/* An entry of a table of traces. */
static struct asnap_error *take_entry(void *context, const uint8_t *key, const uint8_t *data)
{
    struct reading *reading = context;
    const struct asnap_py_table *table = reading->table;
    struct asnap_trace trace = {
        .address = asnap_py_u64(key), .domain = reading->domain, .time = ASNAP_TIME_UNKNOWN};
    if (!table->holds_copies)
        return add_trace(reading->made, &trace, asnap_py_u64(data));
    if (table->key_size == KEY_WITH_DOMAIN)
        trace.domain = asnap_py_u32(key + 8);
    trace.size = asnap_py_u64(data);
    return add_trace(reading->made, &trace, asnap_py_u64(data + 8));
}

static struct asnap_error *walk_table(const struct asnap_py_memory *py,
                                      struct asnap_py_traces *made,
                                      const struct asnap_py_table *table, uint32_t domain)
{
    struct reading reading = {.made = made, .table = table, .domain = domain};
    made->entry_count += table->entry_count;
    return asnap_py_table_walk(py, table, step, take_entry, &reading, &made->walk);
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

static struct asnap_error *take_domain(void *context, const uint8_t *key, const uint8_t *data)
{
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

static struct asnap_error *walk_domains(const struct asnap_py_memory *py,
                                        struct asnap_py_traces *made, uint64_t address,
                                        const struct asnap_py_table *traces)
{
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
            error = walk_table(py, made, &table, (uint32_t)one->domain);
    }
    free(list.domains);
    return error;
}

/* ---- sizes and tracebacks ---- */

static struct asnap_error *take_trace(void *context, const struct asnap_wanted *wanted,
                                      const uint8_t *bytes)
{
    struct asnap_py_traces *made = context;
    if (bytes == NULL) {
        made->links[wanted->place] = 0;
        made->unreadable++;
        return NULL;
    }
    made->traces[wanted->place].size = asnap_py_u64(bytes);
    made->links[wanted->place] = asnap_py_u64(bytes + 8);
    return NULL;
}

static struct asnap_error *read_sizes(const struct asnap_py_memory *py,
                                      struct asnap_py_traces *made)
{
    struct asnap_wanted *wanted = malloc((made->count + 1) * sizeof(*wanted));
    if (wanted == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < made->count; i++)
        wanted[i] = (struct asnap_wanted){
            .address = made->links[i], .size = TRACE_BYTES, .place = (uint32_t)i};
    struct asnap_error *error = asnap_py_gather(py, wanted, made->count, step, take_trace, made);
    free(wanted);
    return error;
}

/* Leaves out traces without a traceback and those of sizes that cannot be. */
static void leave_out(struct asnap_py_traces *made)
{
    size_t kept = 0;
    for (size_t i = 0; i < made->count; i++) {
        if (made->links[i] == 0)
            continue;
        if (made->traces[i].size > INT64_MAX / 2) {
            made->bad_sizes++;
            continue;
        }
        made->traces[kept] = made->traces[i];
        made->links[kept++] = made->links[i];
    }
    made->count = kept;
}

struct address_set {
    const uint64_t *addresses;
    uint64_t wanted;
};

static bool same_address(const void *context, uint32_t place)
{
    const struct address_set *set = context;
    return set->addresses[place] == set->wanted;
}

/* Numbers the tracebacks. */
static struct asnap_error *number_tracebacks(struct asnap_py_traces *made)
{
    struct asnap_intern index = {0};
    struct asnap_error *error = NULL;
    made->tracebacks = calloc(made->count + 1, sizeof(*made->tracebacks));
    if (made->tracebacks == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < made->count && error == NULL; i++) {
        struct address_set set = {made->tracebacks, made->links[i]};
        uint32_t hash = asnap_hash_end(asnap_hash_mix(0, made->links[i]));
        uint32_t place = asnap_intern_find(&index, hash, same_address, &set);
        if (place == ASNAP_NONE) {
            error = asnap_intern_reserve(&index);
            if (error != NULL)
                break;
            place = (uint32_t)made->traceback_count++;
            made->tracebacks[place] = made->links[i];
            asnap_intern_add(&index, hash, place);
        }
        made->traces[i].traceback_id = place;
    }
    asnap_intern_deinit(&index);
    return error;
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
            made->repeated++;
        else
            made->traces[kept++] = made->traces[i];
    }
    made->count = kept;
}

struct asnap_error *asnap_py_traces_read(const struct asnap_py_memory *py,
                                         const struct asnap_cpython *cpython,
                                         struct asnap_py_traces *made)
{
    struct asnap_py_table table;
    bool is_table;
    bool holds_copies = cpython->version < VERSION_3_9;
    *made = (struct asnap_py_traces){0};
    struct asnap_error *error =
        asnap_py_table_read(py, cpython->traces, holds_copies, &table, &is_table);
    if (error == NULL && !is_table)
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "there is no table of traces at 0x%" PRIx64
                                  ", where this %s has it: the program has overwritten it, or the "
                                  "core is truncated",
                                  cpython->traces, cpython->name);
    if (error == NULL)
        error = walk_table(py, made, &table, 0);
    if (error == NULL && cpython->domains != 0 && !holds_copies)
        error = walk_domains(py, made, cpython->domains, &table);
    if (error == NULL && made->count >= UINT32_MAX)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "tracemalloc has %zu traces: 4294967294 are the most that can "
                                  "be read",
                                  made->count);
    if (error == NULL && !holds_copies)
        error = read_sizes(py, made);
    if (error != NULL)
        return error;
    leave_out(made);
    error = number_tracebacks(made);
    if (error == NULL && (made->walk.misplaced != 0 || made->walk.visited != made->entry_count))
        leave_out_repeated(made);
    return error;
}

void asnap_py_traces_deinit(struct asnap_py_traces *made)
{
    free(made->traces);
    free(made->links);
    free(made->tracebacks);
}
