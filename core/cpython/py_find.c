/* Finding an interpreter's version, and whether and where it keeps traces. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "py_tables.h"
#include "read.h"

enum {
    VERSION_3_8 = 0x03080000,
    VERSION_3_9 = 0x03090000,
    VERSION_3_12 = 0x030c0000,
    VERSION_3_14 = 0x030e0000,
    VERSION_3_15 = 0x030f0000, /* the first that is not known */
    LONG_RUNTIME = 2 << 20,    /* bytes; _PyRuntime has 700 KiB at most until 3.14 */
    FRAMES_MOST_3_8 = INT32_MAX / 12,
};

/* The beginning of _PyRuntime from 3.13 on (struct _Py_DebugOffsets). */
static const char debug_cookie[] = "xdebugpy";

struct finding {
    const struct asnap_py_memory *py;
    const struct asnap_cpython_symbols *symbols;
    struct asnap_cpython *found;
    struct asnap_py_state state;
    bool holds_copies; /* the tables that are looked for */
};

/* The version in the name of a file, as libpython3.8.so.1.0; 0: there is none. */
static uint32_t version_of_path(const char *path)
{
    const char *name = path == NULL ? NULL : strrchr(path, '/');
    const char *python = name == NULL ? NULL : strstr(name, "python3.");
    unsigned int minor = 0;
    if (python == NULL || sscanf(python, "python3.%2u", &minor) != 1)
        return 0;
    return 0x03000000 | minor << 16;
}

static bool is_version(uint64_t number)
{
    return number >> 24 == 3 && (number >> 16 & 0xff) >= 8 && (number >> 16 & 0xff) < 40;
}

/* Py_Version is an unsigned long. */
static struct asnap_error *read_version(struct finding *finding)
{
    uint8_t head[24];
    bool is_read = false;
    const struct asnap_cpython_symbols *symbols = finding->symbols;
    struct asnap_error *error = NULL;
    uint64_t number = 0;
    if (symbols->version != 0)
        error = asnap_py_read(finding->py, symbols->version, head, 8, &is_read);
    if (error == NULL && is_read && is_version(asnap_py_u64(head)))
        number = asnap_py_u64(head);
    is_read = false;
    if (error == NULL && symbols->runtime != 0)
        error = asnap_py_read(finding->py, symbols->runtime, head, sizeof(head), &is_read);
    if (error == NULL && is_read && memcmp(head, debug_cookie, 8) == 0) {
        number = is_version(asnap_py_u64(head + 8)) ? asnap_py_u64(head + 8) : number;
        finding->found->free_threaded = asnap_py_u64(head + 16) == 1;
    }
    finding->found->version = number != 0 ? (uint32_t)number : version_of_path(symbols->path);
    return error;
}

static void name_version(struct asnap_cpython *found)
{
    uint32_t minor = found->version >> 16 & 0xff;
    const char *threads = found->free_threaded ? ", free-threaded" : "";
    if (found->version == 0)
        snprintf(found->name, sizeof(found->name), "CPython");
    else if ((found->version & 0xffff) == 0)
        snprintf(found->name, sizeof(found->name), "CPython 3.%" PRIu32 "%s", minor, threads);
    else
        snprintf(found->name, sizeof(found->name), "CPython 3.%" PRIu32 ".%" PRIu32 "%s", minor,
                 found->version >> 8 & 0xff, threads);
}

static struct asnap_error *not_tracing(const struct asnap_cpython *found)
{
    return asnap_error_create(
        ASNAP_ERROR_NOT_TRACING,
        "tracemalloc does not trace in this %s: start the program with PYTHONTRACEMALLOC=25 (or "
        "python3 -X tracemalloc=25), or have it call tracemalloc.start(25)",
        found->name);
}

static struct asnap_error *look_for_state(void *context, uint64_t start, uint64_t end, bool *found)
{
    struct finding *finding = context;
    return asnap_py_state_find(finding->py, start, end, &finding->state, found);
}

static struct asnap_error *look_for_statics(void *context, uint64_t start, uint64_t end,
                                            bool *found)
{
    struct finding *finding = context;
    return asnap_py_statics_find(finding->py, start, end, finding->holds_copies, &finding->state,
                                 found);
}

/* Of 3.12 and later: in _PyRuntime, or where that is not known in all that the file can write. */
static struct asnap_error *find_state(struct finding *finding)
{
    const struct asnap_cpython_symbols *symbols = finding->symbols;
    struct asnap_error *error = NULL;
    bool found = false;
    if (symbols->runtime != 0 && symbols->runtime_size != 0 &&
        symbols->runtime_size <= LONG_RUNTIME)
        error =
            asnap_py_state_find(finding->py, symbols->runtime,
                                symbols->runtime + symbols->runtime_size, &finding->state, &found);
    if (error == NULL && !found)
        error = asnap_py_each_part(finding->py, symbols->path, look_for_state, finding, &found);
    if (error != NULL || (found && finding->state.is_tracing))
        return error;
    if (!found && finding->found->version >= VERSION_3_15)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "this is %s, whose tracemalloc is not where that of 3.8 to 3.14 "
                                  "is: use a newer allocsnap, or have the program call "
                                  "tracemalloc.take_snapshot() itself",
                                  finding->found->name);
    return not_tracing(finding->found);
}

/* Reads a word that a symbol leads to; leaves it as it was where there is no such symbol, or it
 * cannot be read. */
static struct asnap_error *read_word(const struct finding *finding, uint64_t address,
                                     uint64_t *word)
{
    uint8_t bytes[8];
    bool is_read = false;
    struct asnap_error *error = NULL;
    if (address != 0)
        error = asnap_py_read(finding->py, address, bytes, sizeof(bytes), &is_read);
    if (error == NULL && is_read)
        *word = asnap_py_u64(bytes);
    return error;
}

/* Until 3.11: is it tracing? */
static struct asnap_error *read_config(struct finding *finding)
{
    uint8_t config[12];
    struct asnap_error *error = asnap_read(finding->py->memory, finding->symbols->config, config,
                                           sizeof(config), "_Py_tracemalloc_config");
    if (error != NULL)
        return error;
    uint32_t limit = asnap_py_u32(config + 8);
    finding->state.frame_limit = limit;
    if (asnap_py_u32(config) != 1 || asnap_py_u32(config + 4) == 0)
        return not_tracing(finding->found);
    if (limit < 1 || limit > FRAMES_MOST_3_8)
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "tracemalloc's configuration at 0x%" PRIx64
                                  " says that it keeps %" PRIu32 " frames: the program has "
                                  "overwritten it, or this is no %s",
                                  finding->symbols->config, limit, finding->found->name);
    return NULL;
}

static struct asnap_error *no_tables(const struct finding *finding)
{
    uint32_t minor = finding->found->version >> 16 & 0xff;
    char package[32] = "python3-dbg";
    if (minor != 0)
        snprintf(package, sizeof(package), "python3.%" PRIu32 "-dbg", minor);
    return asnap_error_create(
        ASNAP_ERROR_UNSUPPORTED,
        "tracemalloc traces in this %s, but its tables are not found: install the debug symbols "
        "of the interpreter (Debian: %s; of pyenv's it has them unless it was stripped), which "
        "tell where tracemalloc_traces is",
        finding->found->name, package);
}

/* Whether the table that a symbol leads to is one, and of which kind. */
static struct asnap_error *check_kind(struct finding *finding, bool *is_table)
{
    struct asnap_py_table table;
    uint32_t version = finding->found->version;
    struct asnap_error *error = NULL;
    *is_table = false;
    for (int copies = 0; copies < 2 && error == NULL && !*is_table; copies++) {
        finding->holds_copies = copies != 0;
        if (version != 0 && (version < VERSION_3_9) != finding->holds_copies)
            continue;
        error =
            asnap_py_table_read(finding->py, finding->state.traces, copies != 0, &table, is_table);
    }
    return error;
}

/* Until 3.11: by the symbols, else by what the tables look like. */
static struct asnap_error *find_statics(struct finding *finding)
{
    const struct asnap_cpython_symbols *symbols = finding->symbols;
    struct asnap_py_state *state = &finding->state;
    bool found = false;
    struct asnap_error *error = read_config(finding);
    state->is_tracing = true;
    state->traced_size = state->peak_size = ASNAP_CPYTHON_UNKNOWN;
    if (error == NULL)
        error = read_word(finding, symbols->traces, &state->traces);
    if (error == NULL)
        error = read_word(finding, symbols->domains, &state->domains);
    if (error == NULL && state->traces != 0)
        error = check_kind(finding, &found);
    for (int copies = 0; copies < 2 && error == NULL && !found; copies++) {
        finding->holds_copies = copies != 0;
        error = asnap_py_each_part(finding->py, symbols->path, look_for_statics, finding, &found);
    }
    if (error == NULL && !found)
        return no_tables(finding);
    if (error == NULL && finding->found->version == 0 && finding->holds_copies)
        finding->found->version = VERSION_3_8;
    if (error == NULL)
        error = read_word(finding, symbols->traced, &state->traced_size);
    if (error == NULL)
        error = read_word(finding, symbols->peak, &state->peak_size);
    if (error == NULL)
        error = read_word(finding, symbols->lock, &state->lock);
    return error;
}

/* Whether a thread holds the lock: from 3.14 on it is a byte whose lowest bit says so (PyMutex);
 * before, it is a pointer to a semaphore (sem_t), which is 0 then. */
static struct asnap_error *read_lock(struct finding *finding)
{
    uint8_t value[4];
    bool is_read = false;
    struct asnap_error *error = NULL;
    if (finding->found->version >= VERSION_3_14) {
        finding->found->locked = (finding->state.lock & 1) != 0;
        return NULL;
    }
    if (finding->state.lock != 0)
        error = asnap_py_read(finding->py, finding->state.lock, value, sizeof(value), &is_read);
    finding->found->locked = is_read && asnap_py_u32(value) == 0;
    return error;
}

struct asnap_error *asnap_cpython_find(const struct asnap_memory *memory,
                                       const struct asnap_cpython_symbols *symbols,
                                       const struct asnap_region *regions, size_t region_count,
                                       const struct asnap_progress *progress,
                                       struct asnap_cpython *found)
{
    if (memory == NULL || symbols == NULL || (regions == NULL && region_count != 0))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "no memory or no symbols are given");
    struct asnap_py_memory py = asnap_py_memory_of(memory, regions, region_count, progress);
    struct asnap_cpython made = {0};
    struct finding finding = {.py = &py, .symbols = symbols, .found = &made};
    struct asnap_error *error = read_version(&finding);
    name_version(&made);
    if (error == NULL && made.version != 0 && made.version < VERSION_3_8)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "this is %s: the tables of tracemalloc are known from 3.8 on",
                                  made.name);
    bool has_statics = made.version != 0 ? made.version < VERSION_3_12 : symbols->config != 0;
    if (error == NULL && has_statics && symbols->config == 0)
        error = no_tables(&finding);
    if (error == NULL)
        error = has_statics ? find_statics(&finding) : find_state(&finding);
    if (error == NULL)
        error = read_lock(&finding);
    if (error != NULL)
        return error;
    if (made.version == 0)
        made.version = has_statics ? VERSION_3_9 : VERSION_3_12;
    made.frame_limit = finding.state.frame_limit;
    made.traced_size = finding.state.traced_size;
    made.peak_size = finding.state.peak_size;
    made.traces = finding.state.traces;
    made.domains = finding.state.domains;
    *found = made;
    return NULL;
}
