/* Loads any bytes as a dump file: as they are, and with checksums made right, so that
 * what is behind them is reached. What loads is used as any snapshot is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocsnap.h"
#include "dump_repair.h"
#include "graph_parts.h"
#include "target.h"

size_t fuzz_accepted;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_load: %s\n", what);
    abort();
}

static void require_ok(struct asnap_error *error)
{
    require(error == NULL, error == NULL ? "" : asnap_error_message(error));
}

/* A group that is too large to be summed up is the only thing that may fail, and types that the
 * file does not say. */
static void use_statistics(const struct asnap_snapshot *snapshot, enum asnap_key key,
                           bool cumulative)
{
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, key, cumulative, &statistics);
    if (error != NULL) {
        require(cumulative ? asnap_error_code(error) == ASNAP_ERROR_INVALID_ARGUMENT
                           : key == ASNAP_KEY_TYPE || key == ASNAP_KEY_OWNER,
                asnap_error_message(error));
        asnap_error_destroy(error);
        return;
    }
    uint64_t size = 0;
    for (size_t i = 0; i < asnap_statistics_count(statistics); i++)
        size += asnap_statistics_row(statistics, i).size;
    require(cumulative || size == asnap_snapshot_size(snapshot), "the rows have another sum");
    struct asnap_render_options options = {.limit = 20};
    char *text = NULL;
    require_ok(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
    require_ok(asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text));
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

static void use_traces(const struct asnap_snapshot *snapshot)
{
    const struct asnap_trace *traces = NULL;
    require_ok(asnap_snapshot_traces(snapshot, &traces));
    struct asnap_render_options options = {.limit = 5};
    char *text = NULL;
    require_ok(asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, &options, &text));
    asnap_string_destroy(text);
    options.order = ASNAP_ORDER_AGE;
    require_ok(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
    if (asnap_snapshot_count(snapshot) == 0)
        return;
    bool found = false;
    struct asnap_trace trace;
    require_ok(asnap_snapshot_find(snapshot, traces[0].address, &found, &trace));
    require(found, "a block is not found at its address");
    require_ok(asnap_render_who(snapshot, traces[0].address, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
}

static void use_lists(const struct asnap_snapshot *snapshot)
{
    size_t length = 0;
    for (size_t i = 0; i < asnap_snapshot_note_count(snapshot); i++)
        length += strlen(asnap_snapshot_note(snapshot, i));
    for (size_t i = 0; i < asnap_snapshot_attribute_count(snapshot); i++)
        length += strlen(asnap_snapshot_attribute(snapshot, i).value);
    for (size_t i = 0; i < asnap_snapshot_mapping_count(snapshot); i++)
        length += strlen(asnap_snapshot_mapping(snapshot, i).build_id);
    for (uint32_t i = 0; i < asnap_snapshot_frame_count(snapshot); i++) {
        uint32_t mapping = asnap_snapshot_frame_mapping(snapshot, i);
        struct asnap_place place = asnap_snapshot_place(snapshot, i);
        length += strlen(asnap_snapshot_frame(snapshot, i).filename);
        length += strlen(place.build_id) + (place.module == NULL ? 0 : strlen(place.module));
        if (mapping != UINT32_MAX)
            length += strlen(asnap_snapshot_mapping(snapshot, mapping).path);
    }
    require(length < SIZE_MAX, "strings have no length");
}

static void use_filters(const struct asnap_snapshot *snapshot)
{
    const struct asnap_filter filter = {
        .inclusive = true, .filename_pattern = "*a*", .all_frames = true};
    struct asnap_snapshot *filtered = NULL;
    struct asnap_diff *diff = NULL;
    require_ok(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    require_ok(asnap_diff_create(snapshot, filtered, ASNAP_KEY_TRACEBACK, false, &diff));
    require(asnap_diff_total(diff).size == asnap_snapshot_size(snapshot), "another total");
    asnap_diff_destroy(diff);
    use_traces(filtered);
    asnap_snapshot_destroy(filtered);
}

/* What is added to the rows of statistics. */
static void use_beside(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot,
                       enum asnap_beside beside)
{
    struct asnap_statistics *statistics = NULL;
    require_ok(asnap_statistics_create(snapshot, ASNAP_KEY_LINENO, false, &statistics));
    require_ok(asnap_statistics_add_graph(statistics, snapshot, graph, beside));
    uint64_t size = 0;
    for (size_t i = 0; i < asnap_statistics_count(statistics); i++) {
        struct asnap_beside_sum sum = asnap_statistics_beside_sum(statistics, i);
        require(sum.size <= INT64_MAX, "a row has too much beside it");
        if (beside != ASNAP_BESIDE_RETAINED)
            require(!__builtin_add_overflow(size, sum.size, &size), "rows have too much beside");
    }
    struct asnap_render_options options = {.limit = 20};
    char *text = NULL;
    require_ok(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
    require_ok(asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text));
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

/* What is kept of a graph again makes the same graph. */
static void use_parts(const struct asnap_graph *graph, const struct asnap_snapshot *snapshot)
{
    struct asnap_graph_parts parts[2];
    struct asnap_graph *again = NULL;
    require_ok(asnap_graph_parts_init(&parts[0], graph, snapshot));
    require_ok(asnap_graph_restore(snapshot, &parts[0], &again));
    require_ok(asnap_graph_parts_init(&parts[1], again, snapshot));
    require(parts[0].leak_count == parts[1].leak_count &&
                parts[0].pointer_count == parts[1].pointer_count &&
                memcmp(parts[0].sums, parts[1].sums, sizeof(parts[0].sums)) == 0 &&
                memcmp(parts[0].classes, parts[1].classes, parts[0].count) == 0 &&
                memcmp(parts[0].retained, parts[1].retained,
                       parts[0].count * sizeof(*parts[0].retained)) == 0 &&
                memcmp(parts[0].leaks, parts[1].leaks,
                       parts[0].leak_count * sizeof(*parts[0].leaks)) == 0,
            "another graph");
    asnap_graph_parts_deinit(&parts[0]);
    asnap_graph_parts_deinit(&parts[1]);
    asnap_graph_destroy(again);
}

static void use_graph(struct asnap_graph *graph, const struct asnap_snapshot *snapshot)
{
    uint32_t count = asnap_graph_block_count(graph);
    uint32_t *top = calloc((size_t)count + 1, sizeof(*top));
    require(top != NULL, "no memory");
    asnap_graph_top(graph, count, top);
    struct asnap_reference references[4];
    for (uint32_t block = 0; block < count; block++) {
        struct asnap_graph_block_info info = asnap_graph_block(graph, block);
        size_t found = 0;
        asnap_graph_references(graph, block, references, 4, &found);
        for (size_t i = 0; i < found; i++)
            require(references[i].block < count, "a pointer to no block");
        require(info.owner == ASNAP_GRAPH_NO_BLOCK || info.owner < count, "no such owner");
    }
    free(top);
    struct asnap_snapshot *leaked = NULL;
    require_ok(asnap_graph_select(graph, snapshot, 1u << ASNAP_REACH_DEFINITE, &leaked));
    use_beside(graph, leaked, ASNAP_BESIDE_LEAKED);
    use_parts(graph, leaked);
    use_beside(graph, snapshot, ASNAP_BESIDE_RETAINED);
    use_parts(graph, snapshot);
    asnap_snapshot_destroy(leaked);
}

static void load(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("fuzz_load", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, (off_t)size) == 0 && pwrite(file, bytes, size, 0) == (ssize_t)size,
            "no memory for a file");
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_graph *graph = NULL;
    struct asnap_error *error = asnap_graph_load(path, &snapshot, &graph);
    if (error != NULL) {
        require(snapshot == NULL && graph == NULL, "an error and a snapshot");
        require(strchr(asnap_error_message(error), '\n') == NULL, "an error of several lines");
        asnap_error_destroy(error);
        return;
    }
    fuzz_accepted++;
    const struct asnap_key_description *description;
    for (enum asnap_key key = 0; (description = asnap_key_describe(key)) != NULL; key++) {
        use_statistics(snapshot, key, false);
        if (description->has_cumulative)
            use_statistics(snapshot, key, true);
    }
    use_traces(snapshot);
    use_lists(snapshot);
    use_filters(snapshot);
    if (graph != NULL)
        use_graph(graph, snapshot);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    load(bytes, size);
    uint8_t *repaired = malloc(size + 1);
    require(repaired != NULL, "no memory");
    memcpy(repaired, bytes, size);
    dump_repair(repaired, size);
    load(repaired, size);
    free(repaired);
    return 0;
}
