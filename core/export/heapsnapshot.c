#include <stdlib.h>
#include <string.h>

#include "export_kinds.h"
#include "frame_labels.h"
#include "json.h"
#include "v8.h"

/* References that are asked for at once. */
enum { AT_ONCE = 1024 };

/* The largest size that a node can have. What a block has beyond it is in nodes of their own
 * below it, of which there are no more than a file can be expected to have. */
#define NODE_SIZE_MAX ((uint64_t)UINT32_MAX)
#define REST_MAX ((uint64_t)1 << 20)

static const char meta[] =
    "{\"snapshot\":{\"meta\":{"
    "\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\",\"trace_node_id\","
    "\"detachedness\"],"
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\",\"closure\",\"regexp\","
    "\"number\",\"native\",\"synthetic\",\"concatenated string\",\"sliced string\",\"symbol\","
    "\"bigint\"],\"string\",\"number\",\"number\",\"number\",\"number\",\"number\"],"
    "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
    "\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\",\"shortcut\","
    "\"weak\"],\"string_or_number\",\"node\"],"
    "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\","
    "\"line\",\"column\"],"
    "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"],"
    "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
    "\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]}";

struct heap {
    const struct asnap_export_job *job;
    struct asnap_file_writer *out;
    const struct asnap_graph *graph;
    struct asnap_v8_roots roots;
    struct asnap_strings strings;
    uint32_t *ids;         /* of each block */
    uint32_t *place_names; /* of each traceback: the string for blocks without a class */
    uint32_t block_count;
    uint32_t rest_count; /* nodes for what is too large for one */
    uint32_t empty_name;
    uint32_t inside_name;
    uint32_t rest_name;
    uint64_t edge_count;
    uint64_t written; /* numbers in the array that is being written */
};

/* Nodes that hold what the node of a block cannot. */
static uint64_t rest_of(uint64_t size)
{
    return size == 0 ? 0 : (size - 1) / NODE_SIZE_MAX;
}

static uint32_t first_block(const struct heap *heap)
{
    return asnap_v8_first_root(&heap->roots) + heap->roots.root_count;
}

static uint64_t node_count(const struct heap *heap)
{
    return (uint64_t)first_block(heap) + heap->block_count + heap->rest_count;
}

static struct asnap_error *add_string(struct heap *heap, const char *string, uint32_t *id)
{
    asnap_strings_name(&heap->strings, string, "");
    return asnap_strings_end(&heap->strings, id);
}

/* The edges of all nodes, and the nodes that large blocks need. */
static struct asnap_error *count_edges(struct heap *heap)
{
    uint64_t rest = 0;
    const struct asnap_v8_roots *roots = &heap->roots;
    heap->edge_count = (uint64_t)roots->group_count + roots->root_count + roots->pointer_count +
                       roots->group_sizes[ASNAP_V8_LEAKED];
    for (uint32_t i = 0; i < heap->block_count; i++) {
        struct asnap_graph_block_info info = asnap_graph_block(heap->graph, i);
        rest += rest_of(info.trace.size);
        heap->edge_count += info.reference_count;
    }
    heap->edge_count += rest;
    heap->rest_count = (uint32_t)rest;
    if (rest > REST_MAX || node_count(heap) > UINT32_MAX / ASNAP_V8_NODE_FIELDS)
        return asnap_error_create(
            ASNAP_ERROR_UNSUPPORTED,
            "the heap is too large for a heap snapshot of V8, which has numbers "
            "of 32 bits: choose another format");
    return NULL;
}

/* The name of a block: its class, else the line that asked for it. */
static struct asnap_error *name_block(struct heap *heap, const struct asnap_trace *trace,
                                      uint32_t *id)
{
    const struct asnap_snapshot *snapshot = heap->job->snapshot;
    const char *class = asnap_snapshot_class(snapshot, trace);
    if (class != NULL)
        return add_string(heap, class, id);
    uint32_t *known = &heap->place_names[trace->traceback_id];
    struct asnap_error *error = NULL;
    if (*known == ASNAP_NONE) {
        size_t place = asnap_snapshot_tracebacks(snapshot)[trace->traceback_id].first +
                       asnap_snapshot_skipped_frames(snapshot, trace->traceback_id);
        struct asnap_frame frame =
            asnap_snapshot_frame(snapshot, asnap_snapshot_frame_ids(snapshot)[place]);
        error = asnap_frame_line(&frame, &heap->strings, known);
    }
    *id = *known;
    return error;
}

/* ---- nodes ---- */

/* Adds numbers to the array that is being written, in a line of their own. */
static void write_numbers(struct heap *heap, const uint64_t *numbers, size_t count)
{
    char *at = asnap_write_begin(heap->out, 2 + count * (ASNAP_DIGITS + 1));
    if (heap->written++ != 0) {
        *at++ = ',';
        *at++ = '\n';
    }
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            *at++ = ',';
        at = asnap_put_number(at, numbers[i]);
    }
    asnap_write_until(heap->out, at);
}

static void write_node(struct heap *heap, enum asnap_v8_node_type type, uint32_t name, uint32_t id,
                       uint64_t size, uint64_t edge_count)
{
    uint64_t fields[] = {type, name, id, size, edge_count, 0, 0};
    write_numbers(heap, fields, sizeof(fields) / sizeof(fields[0]));
}

/* Odd ids are those of nodes that are no blocks. */
static void write_synthetic(struct heap *heap, uint32_t name, uint64_t edge_count)
{
    write_node(heap, ASNAP_V8_SYNTHETIC, name, (uint32_t)(heap->written * 2 + 1), 0, edge_count);
}

static struct asnap_error *write_root_nodes(struct heap *heap)
{
    const struct asnap_v8_roots *roots = &heap->roots;
    struct asnap_error *error = NULL;
    uint32_t name;
    write_synthetic(heap, heap->empty_name, roots->group_count);
    for (uint32_t group = 0; error == NULL && group < ASNAP_V8_GROUPS; group++) {
        if (roots->group_nodes[group] == 0)
            continue;
        error = asnap_v8_group_name(group, &heap->strings, &name);
        if (error == NULL)
            write_synthetic(heap, name, roots->group_sizes[group]);
    }
    for (uint32_t i = 0; error == NULL && i < roots->root_count; i++) {
        error = asnap_v8_root_name(heap->job->options, roots->roots[i], &heap->strings, &name);
        if (error == NULL)
            write_synthetic(heap, name, roots->first[i + 1] - roots->first[i]);
    }
    return error;
}

static struct asnap_error *write_nodes(struct heap *heap)
{
    struct asnap_error *error = write_root_nodes(heap);
    uint64_t total = heap->block_count;
    for (uint32_t i = 0;
         error == NULL && i < heap->block_count && asnap_export_goes_on(heap->job, i, total); i++) {
        struct asnap_graph_block_info info = asnap_graph_block(heap->graph, i);
        uint64_t size = info.trace.size;
        uint32_t name;
        error = name_block(heap, &info.trace, &name);
        if (error == NULL)
            write_node(heap, ASNAP_V8_NATIVE, name, heap->ids[i],
                       size < NODE_SIZE_MAX ? size : NODE_SIZE_MAX,
                       info.reference_count + rest_of(size));
    }
    for (uint32_t i = 0; error == NULL && heap->rest_count != 0 && i < heap->block_count; i++) {
        struct asnap_graph_block_info info = asnap_graph_block(heap->graph, i);
        uint64_t left = info.trace.size;
        for (uint64_t rest = rest_of(left); rest > 0; rest--) {
            left -= NODE_SIZE_MAX;
            write_node(heap, ASNAP_V8_NATIVE, heap->rest_name, (uint32_t)(heap->written * 2 + 1),
                       left < NODE_SIZE_MAX ? left : NODE_SIZE_MAX, 0);
        }
    }
    return error;
}

/* ---- edges ---- */

static void write_edge(struct heap *heap, enum asnap_v8_edge_type type, uint64_t name_or_index,
                       uint64_t node)
{
    uint64_t fields[] = {type, name_or_index, node * ASNAP_V8_NODE_FIELDS};
    write_numbers(heap, fields, sizeof(fields) / sizeof(fields[0]));
}

static void write_leaked_edges(struct heap *heap)
{
    uint64_t index = 0;
    for (uint32_t i = 0; i < heap->block_count; i++) {
        if (asnap_graph_block(heap->graph, i).reach == ASNAP_REACH_DEFINITE)
            write_edge(heap, ASNAP_V8_ELEMENT, index++, first_block(heap) + i);
    }
}

static void write_root_edges(struct heap *heap)
{
    const struct asnap_v8_roots *roots = &heap->roots;
    uint32_t root = asnap_v8_first_root(roots);
    for (uint32_t i = 0; i < roots->group_count; i++)
        write_edge(heap, ASNAP_V8_ELEMENT, i, 1 + i);
    for (uint32_t kind = 0; kind < ASNAP_ROOT_KINDS; kind++) {
        for (uint32_t i = 0; i < roots->group_sizes[kind]; i++)
            write_edge(heap, ASNAP_V8_ELEMENT, i, root++);
    }
    if (roots->group_sizes[ASNAP_V8_LEAKED] != 0)
        write_leaked_edges(heap);
    for (size_t i = 0; i < roots->pointer_count; i++)
        write_edge(heap, ASNAP_V8_ELEMENT, roots->pointers[i].word,
                   first_block(heap) + roots->pointers[i].block);
}

static void write_block_edges(struct heap *heap, uint32_t block)
{
    struct asnap_reference references[AT_ONCE];
    uint64_t first = 0;
    size_t count;
    do {
        asnap_graph_references_from(heap->graph, block, first, references, AT_ONCE, &count);
        for (size_t i = 0; i < count; i++)
            write_edge(heap, references[i].inside ? ASNAP_V8_INTERNAL : ASNAP_V8_ELEMENT,
                       references[i].inside ? heap->inside_name : first + i,
                       first_block(heap) + references[i].block);
        first += count;
    } while (count == AT_ONCE && heap->out->error == NULL);
}

static void write_edges(struct heap *heap)
{
    uint64_t rest_node = (uint64_t)first_block(heap) + heap->block_count;
    write_root_edges(heap);
    for (uint32_t i = 0;
         i < heap->block_count && asnap_export_goes_on(heap->job, i, heap->block_count); i++) {
        write_block_edges(heap, i);
        if (heap->rest_count == 0)
            continue;
        uint64_t size = asnap_graph_block(heap->graph, i).trace.size;
        for (uint64_t rest = rest_of(size); rest > 0; rest--)
            write_edge(heap, ASNAP_V8_INTERNAL, heap->rest_name, rest_node++);
    }
}

/* ---- the file ---- */

static void write_strings(struct heap *heap)
{
    for (uint32_t i = 0; i < heap->strings.count; i++) {
        size_t size;
        const char *string = asnap_strings_get(&heap->strings, i, &size);
        if (i != 0)
            asnap_write_string(heap->out, ",\n");
        asnap_json_string(heap->out, string, size);
    }
}

/* What is missing, where V8's readers look at nothing. */
static void write_notes(struct heap *heap)
{
    const struct asnap_snapshot *snapshot = heap->job->snapshot;
    size_t of_graph = asnap_graph_note_count(heap->graph);
    size_t count = of_graph + asnap_snapshot_note_count(snapshot);
    asnap_write_string(heap->out, ",\"notes\":[");
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            asnap_write_byte(heap->out, ',');
        asnap_json_text(heap->out, i < of_graph ? asnap_graph_note(heap->graph, i)
                                                : asnap_snapshot_note(snapshot, i - of_graph));
    }
    asnap_write_byte(heap->out, ']');
}

static struct asnap_error *write_heap(struct heap *heap)
{
    struct asnap_file_writer *out = heap->out;
    asnap_write_string(out, meta);
    asnap_write_string(out, ",\"node_count\":");
    asnap_write_number(out, node_count(heap));
    asnap_write_string(out, ",\"edge_count\":");
    asnap_write_number(out, heap->edge_count);
    asnap_write_string(out, ",\"trace_function_count\":0");
    write_notes(heap);
    asnap_write_string(out, "},\n\"nodes\":[");
    struct asnap_error *error = write_nodes(heap);
    if (error != NULL)
        return error;
    asnap_write_string(out, "],\n\"edges\":[");
    heap->written = 0;
    write_edges(heap);
    asnap_write_string(out,
                       "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n"
                       "\"locations\":[],\n\"strings\":[");
    write_strings(heap);
    asnap_write_string(out, "]}\n");
    return NULL;
}

static struct asnap_error *prepare(struct heap *heap)
{
    size_t traceback_count = asnap_snapshot_traceback_count(heap->job->snapshot);
    heap->block_count = asnap_graph_block_count(heap->graph);
    heap->place_names = asnap_intern_none(traceback_count);
    struct asnap_error *error = heap->place_names == NULL ? asnap_error_no_memory() : NULL;
    if (error == NULL)
        error = asnap_v8_roots_init(&heap->roots, heap->graph);
    if (error == NULL)
        error = count_edges(heap);
    if (error == NULL)
        error = asnap_v8_block_ids(heap->graph, &heap->ids);
    if (error == NULL)
        error = add_string(heap, "", &heap->empty_name);
    if (error == NULL)
        error = add_string(heap, "(inside)", &heap->inside_name);
    if (error == NULL)
        error = add_string(heap, "(the rest of a block of 4 GiB or more)", &heap->rest_name);
    return error;
}

struct asnap_error *asnap_export_heapsnapshot(const struct asnap_export_job *job)
{
    struct heap heap = {.job = job, .out = job->out, .graph = job->options->graph};
    struct asnap_error *error = prepare(&heap);
    if (error == NULL)
        error = write_heap(&heap);
    asnap_v8_roots_deinit(&heap.roots);
    asnap_strings_deinit(&heap.strings);
    free(heap.place_names);
    free(heap.ids);
    return error;
}
