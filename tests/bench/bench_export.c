/* Exports of 1,000,000 blocks: with 4,000 stacks, of one size and of many sizes, times and threads,
 * and with a stack of 16 frames for each block. With the name of a format, that one alone. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "graph.h"
#include "paths.h"

#define BASE UINT64_C(0x7f0000000000)
#define STRIDE 144u

enum { BLOCKS = 1000000, FRAMES = 16, FUNCTIONS = 5000, THREADS = 8, HOUR = 360000 };

static uint8_t *heap;
static const char *only; /* the format that is measured alone, or NULL */

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(struct asnap_error *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "bench_export: %s\n", asnap_error_message(error));
    exit(1);
}

static uint64_t random_below(uint64_t limit)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 20) % limit;
}

static void add_frames(struct asnap_builder *builder, uint32_t *frames)
{
    struct asnap_mapping mapping = {.start = BASE,
                                    .end = BASE + (1 << 24),
                                    .path = "/usr/bin/made",
                                    .build_id = "0123456789abcdef0123456789abcdef01234567"};
    check(asnap_builder_mapping(builder, &mapping));
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        char function[64];
        char file[64];
        snprintf(function, sizeof(function), "name_space::function_number_%u(int)", i);
        snprintf(file, sizeof(file), "/usr/src/program/file_%u.cc", i / 20);
        struct asnap_frame frame = {.filename = file, .function = function, .lineno = i % 300 + 1};
        check(asnap_builder_frame(builder, &frame, BASE + 64 * (uint64_t)i, 0, &frames[i]));
    }
}

/* A block whose size, thread and time are its own, of a stack that is as likely as any other. */
static struct asnap_trace vary(struct asnap_trace trace, uint32_t stack)
{
    static const uint64_t sizes[] = {16, 24, 64, 100, 128};
    trace.size = sizes[random_below(sizeof(sizes) / sizeof(sizes[0]))];
    trace.thread = (uint32_t)random_below(THREADS) + 1;
    trace.time = (uint32_t)random_below(HOUR);
    trace.traceback_id = stack;
    return trace;
}

/* Each block points to a neighbour and to two others. */
static struct asnap_snapshot *make_snapshot(uint32_t stack_count, bool varied)
{
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    uint32_t frames[FUNCTIONS];
    uint32_t *tracebacks = calloc(stack_count, sizeof(*tracebacks));
    struct asnap_trace *traces = calloc(BLOCKS, sizeof(*traces));
    if (traces == NULL || tracebacks == NULL)
        exit(1);
    check(asnap_builder_create(&builder));
    add_frames(builder, frames);
    for (uint32_t i = 0; i < stack_count; i++) {
        uint32_t ids[FRAMES];
        for (uint32_t k = 0; k < FRAMES; k++)
            ids[k] = frames[k < 4 ? random_below(FUNCTIONS) : random_below(10) + 10 * k];
        check(asnap_builder_traceback(builder, ids, FRAMES, FRAMES, &tracebacks[i]));
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        traces[i] = (struct asnap_trace){.address = BASE + (uint64_t)STRIDE * i,
                                         .size = 128,
                                         .traceback_id = tracebacks[i % stack_count],
                                         .time = ASNAP_TIME_UNKNOWN};
    for (uint32_t i = 0; varied && i < BLOCKS; i++)
        traces[i] = vary(traces[i], tracebacks[random_below(stack_count)]);
    if (varied) {
        uint32_t threads[THREADS + 1];
        for (uint32_t i = 0; i <= THREADS; i++)
            threads[i] = i == 0 ? 0 : 4710 + i;
        check(asnap_builder_threads(builder, threads, THREADS + 1));
        check(asnap_builder_start_time(builder, UINT64_C(1700000000000000000)));
    }
    check(asnap_builder_take_traces(builder, traces, BLOCKS));
    check(asnap_builder_finish(builder, FRAMES, &snapshot));
    asnap_builder_destroy(builder);
    free(tracebacks);
    return snapshot;
}

static int read_heap(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    if (address < BASE || address - BASE > (uint64_t)BLOCKS * STRIDE ||
        size > (uint64_t)BLOCKS * STRIDE - (address - BASE))
        return ASNAP_READ_FAILED;
    memcpy(buffer, heap + (address - BASE), size);
    return ASNAP_READ_OK;
}

static void make_graph(struct asnap_graph *graph, const struct asnap_snapshot *snapshot)
{
    const struct asnap_trace *traces;
    struct asnap_memory memory = {read_heap, NULL, (uint64_t)BLOCKS * STRIDE};
    struct asnap_word_reader reader = {.memory = &memory, .heuristics = true};
    size_t skipped;
    heap = calloc(BLOCKS, STRIDE);
    graph->roots.roots = calloc(1, sizeof(*graph->roots.roots));
    graph->roots.pointers = calloc(1, sizeof(*graph->roots.pointers));
    if (heap == NULL || graph->roots.roots == NULL || graph->roots.pointers == NULL)
        exit(1);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint64_t words[3] = {BASE + (uint64_t)STRIDE * ((i + 1) % BLOCKS),
                             BASE + STRIDE * random_below(BLOCKS),
                             BASE + STRIDE * random_below(BLOCKS)};
        memcpy(heap + (size_t)i * STRIDE, words, sizeof(words));
    }
    graph->roots.count = graph->roots.pointer_count = 1;
    graph->roots.roots[0].kind = ASNAP_ROOT_FILE;
    check(asnap_snapshot_traces(snapshot, &traces));
    check(asnap_block_index_init(&graph->index, traces, BLOCKS, &skipped));
    check(asnap_edges_init(&graph->edges, &graph->index, &reader));
    check(asnap_reach_init(&graph->reach, &graph->index, &graph->edges, graph->roots.pointers, 1,
                           NULL));
}

/* The page of reports without anything of its own. */
static void write_page(const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs("<!--allocsnap data-->", file) < 0 || fclose(file) != 0)
        exit(1);
}

/* Writes every format, each to the disk as an export is. */
static void measure(const struct asnap_snapshot *snapshot, const struct asnap_graph *graph,
                    const char *what, const char *goal)
{
    char directory[] = "/tmp/allocsnap-bench-XXXXXX";
    char path[64];
    char page[64];
    if (mkdtemp(directory) == NULL)
        exit(1);
    snprintf(path, sizeof(path), "%s/file", directory);
    snprintf(page, sizeof(page), "%s/page", directory);
    write_page(page);
    const struct asnap_report_options report = {.page = page};
    const struct asnap_export_description *description;
    for (int i = 0; (description = asnap_export_describe((enum asnap_export_format)i)) != NULL;
         i++) {
        struct asnap_export_options options = {.graph = graph, .report = &report};
        struct stat status;
        if ((description->needs_graph && graph == NULL) ||
            (only != NULL && strcmp(only, description->name) != 0))
            continue;
        double start = seconds(CLOCK_MONOTONIC);
        double used = seconds(CLOCK_PROCESS_CPUTIME_ID);
        check(asnap_export(snapshot, (enum asnap_export_format)i, &options, path));
        double took = seconds(CLOCK_MONOTONIC) - start;
        used = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
        if (stat(path, &status) != 0)
            exit(1);
        printf("%s, %s\t%.2f s (%.2f of a processor), %.1f MB\t%s\n", description->name, what, took,
               used, (double)status.st_size / 1e6, goal);
        unlink(path);
    }
    unlink(page);
    rmdir(directory);
}

#define COLUMNS                                                                                    \
    "(id INTEGER PRIMARY KEY, snapshot, address, size, weight, stack, domain, thread, time, "      \
    "reach, "                                                                                      \
    "type)"

/* How long a processor takes for the rows of the blocks alone. */
struct row_times {
    double inserted; /* each by a statement with bound values, without a journal: what users do */
    double copied;   /* to another table, where SQLite makes no rows but moves the bytes of them */
};

static double copy_rows(sqlite3 *connection)
{
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (sqlite3_exec(connection,
                     "BEGIN; CREATE TABLE copied " COLUMNS
                     "; INSERT INTO copied SELECT * FROM blocks; COMMIT",
                     NULL, NULL, NULL) != SQLITE_OK)
        exit(1);
    return seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static struct row_times insert_blocks(const struct asnap_snapshot *snapshot)
{
    static const char path[] = "/tmp/allocsnap-bench-rows";
    const struct asnap_trace *traces;
    sqlite3 *connection;
    sqlite3_stmt *insert;
    unlink(path);
    check(asnap_snapshot_traces(snapshot, &traces));
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (sqlite3_open(path, &connection) != SQLITE_OK ||
        sqlite3_exec(
            connection,
            "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "PRAGMA locking_mode = EXCLUSIVE; BEGIN; CREATE TABLE blocks " COLUMNS,
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(connection,
                           "INSERT INTO blocks VALUES (NULL, 1, ?, ?, 1, ?, 0, NULL, NULL, "
                           "'reachable', NULL)",
                           -1, &insert, NULL) != SQLITE_OK)
        exit(1);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)traces[i].address);
        sqlite3_bind_int64(insert, 2, (sqlite3_int64)traces[i].size);
        sqlite3_bind_int64(insert, 3, traces[i].traceback_id + 1);
        if (sqlite3_step(insert) != SQLITE_DONE)
            exit(1);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    sqlite3_exec(connection, "COMMIT", NULL, NULL, NULL);
    struct row_times times = {.inserted = seconds(CLOCK_PROCESS_CPUTIME_ID) - start};
    times.copied = copy_rows(connection);
    sqlite3_close(connection);
    unlink(path);
    return times;
}

/* The whole database, beside its blocks alone as others insert them. */
static void compare_with_inserts(const struct asnap_snapshot *snapshot,
                                 const struct asnap_graph *graph)
{
    static const char path[] = "/tmp/allocsnap-bench-database";
    struct asnap_export_options options = {.graph = graph};
    struct row_times rows = insert_blocks(snapshot);
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(asnap_export(snapshot, ASNAP_EXPORT_SQLITE, &options, path));
    double used = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    unlink(path);
    printf("sqlite, beside statements for its blocks alone\t%.2f times\tat most 1 time\n",
           used / rows.inserted);
    printf("sqlite, beside SQLite's own copy of such a table\t%.2f times\t\n", used / rows.copied);
}

int main(int count, char **words)
{
    only = count > 1 ? words[1] : NULL;
    struct rusage usage;
    struct asnap_graph graph = {0};
    struct asnap_snapshot *snapshot = make_snapshot(4000, false);
    make_graph(&graph, snapshot);
    measure(snapshot, &graph, "4,000 stacks", "under 0.2 s");
    compare_with_inserts(snapshot, &graph);
    asnap_snapshot_destroy(snapshot);
    snapshot = make_snapshot(4000, true);
    measure(snapshot, NULL, "4,000 stacks, all different", "under 0.2 s");
    asnap_snapshot_destroy(snapshot);
    snapshot = make_snapshot(BLOCKS, false);
    measure(snapshot, NULL, "1,000,000 stacks of 16", "under 5 s");
    asnap_snapshot_destroy(snapshot);
    getrusage(RUSAGE_SELF, &usage);
    printf("memory, both\t%.0f MiB\tunder 1024 MiB\n", (double)usage.ru_maxrss / 1024);
    return 0;
}
