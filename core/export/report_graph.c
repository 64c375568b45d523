#include "report_graph.h"

#include <stdlib.h>

struct graph_parts {
    struct asnap_report_stacks *stacks;
    struct asnap_report_numbering *numbering;
    const struct asnap_graph *graph;
    const struct asnap_report_options *options;
    struct asnap_report_list list;
};

static struct asnap_error *add(struct graph_parts *parts, uint32_t number)
{
    return asnap_report_list_add(&parts->list, number);
}

static struct asnap_error *add_wide(struct graph_parts *parts, uint64_t number)
{
    return asnap_report_list_add_wide(&parts->list, number);
}

/* A block: its stack, address, size and class. */
static struct asnap_error *add_block(struct graph_parts *parts, uint32_t block)
{
    struct asnap_graph_block_info info = asnap_graph_block(parts->graph, block);
    uint32_t stack;
    struct asnap_error *error =
        asnap_report_stack(parts->stacks, parts->numbering, info.trace.traceback_id, &stack);
    if (error == NULL)
        error = add(parts, stack);
    if (error == NULL)
        error = add_wide(parts, info.trace.address);
    if (error == NULL)
        error = add_wide(parts, info.trace.size);
    if (error == NULL)
        error = add(parts, info.reach);
    return error;
}

/* Writes the list as a section, and empties it. */
static void write_list(struct graph_parts *parts, const char *tag,
                       struct asnap_report_output *output)
{
    asnap_report_section(output, tag, 4, parts->list.numbers, parts->list.count);
    parts->list.count = 0;
}

/* The blocks that retain most, with what that is. */
static struct asnap_error *add_keepers(struct graph_parts *parts)
{
    uint32_t blocks[ASNAP_REPORT_KEEPERS];
    const struct asnap_graph *retained = parts->options->retained;
    size_t count = retained == NULL ? 0 : asnap_graph_block_count(retained);
    if (count > ASNAP_REPORT_KEEPERS)
        count = ASNAP_REPORT_KEEPERS;
    struct asnap_error *error = NULL;
    if (count > 0)
        asnap_graph_top(retained, count, blocks);
    for (size_t i = 0; error == NULL && i < count; i++) {
        uint64_t size;
        uint64_t held;
        asnap_graph_retained(retained, blocks[i], &size, &held);
        error = add_block(parts, blocks[i]);
        if (error == NULL)
            error = add_wide(parts, size);
        if (error == NULL)
            error = add_wide(parts, held);
    }
    return error;
}

static struct asnap_error *add_line(struct graph_parts *parts, const struct asnap_statistics *rows,
                                    size_t row)
{
    struct asnap_statistic line = asnap_statistics_row(rows, row);
    struct asnap_beside_sum sum = asnap_statistics_beside_sum(rows, row);
    struct asnap_frame frame = asnap_statistics_frame(rows, row, 0);
    struct asnap_place place = asnap_statistics_place(rows, row, 0);
    uint32_t number;
    struct asnap_error *error = asnap_report_frame(parts->stacks, &frame, place.module, &number);
    if (error == NULL)
        error = add(parts, number);
    if (error == NULL)
        error = add_wide(parts, line.size);
    if (error == NULL)
        error = add_wide(parts, line.count);
    if (error == NULL)
        error = add_wide(parts, sum.size);
    if (error == NULL)
        error = add_wide(parts, sum.count);
    return error;
}

/* The lines that retain most. */
static struct asnap_error *add_lines(struct graph_parts *parts)
{
    const struct asnap_snapshot *snapshot = parts->numbering->snapshot;
    struct asnap_statistics *rows = NULL;
    if (parts->options->retained == NULL)
        return NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, ASNAP_KEY_LINENO, false, &rows);
    if (error == NULL)
        error = asnap_statistics_add_graph(rows, snapshot, parts->options->retained,
                                           ASNAP_BESIDE_RETAINED);
    size_t count = error == NULL ? asnap_statistics_count(rows) : 0;
    for (size_t i = 0; error == NULL && i < count && i < ASNAP_REPORT_KEEPERS; i++)
        error = add_line(parts, rows, i);
    asnap_statistics_destroy(rows);
    return error;
}

/* ---- the largest leak ---- */

/* The definite block with which most has leaked; ASNAP_GRAPH_NO_BLOCK: none has. */
static uint32_t largest_leak(const struct asnap_graph *graph, uint64_t *size)
{
    uint32_t largest = ASNAP_GRAPH_NO_BLOCK;
    *size = 0;
    for (uint32_t i = 0; i < asnap_graph_block_count(graph); i++) {
        struct asnap_graph_block_info info = asnap_graph_block(graph, i);
        uint64_t with = info.trace.size + info.indirect_size;
        if (info.reach != ASNAP_REACH_DEFINITE ||
            (largest != ASNAP_GRAPH_NO_BLOCK && with <= *size))
            continue;
        largest = i;
        *size = with;
    }
    return largest;
}

/* A block of the leak and the one that led to it first. */
struct leak {
    uint32_t blocks[ASNAP_REPORT_LEAK_BLOCKS];
    uint32_t parents[ASNAP_REPORT_LEAK_BLOCKS];
    size_t count;
};

static bool has_block(const struct leak *leak, uint32_t block)
{
    for (size_t i = 0; i < leak->count; i++) {
        if (leak->blocks[i] == block)
            return true;
    }
    return false;
}

/* Adds the blocks that one block of the leak points to and that leaked with it. */
static void follow(const struct asnap_graph *graph, struct leak *leak, size_t at, uint32_t owner)
{
    struct asnap_reference references[ASNAP_REPORT_LEAK_BLOCKS];
    size_t count;
    asnap_graph_references(graph, leak->blocks[at], references, ASNAP_REPORT_LEAK_BLOCKS, &count);
    for (size_t i = 0; i < count && leak->count < ASNAP_REPORT_LEAK_BLOCKS; i++) {
        uint32_t block = references[i].block;
        if (block == ASNAP_GRAPH_NO_BLOCK || asnap_graph_block(graph, block).owner != owner ||
            asnap_graph_block(graph, block).reach < ASNAP_REACH_INDIRECT || has_block(leak, block))
            continue;
        leak->blocks[leak->count] = block;
        leak->parents[leak->count++] = (uint32_t)at;
    }
}

/* The largest leak: what leaked with it, and its first blocks by the pointers between them. */
static struct asnap_error *add_leak(struct graph_parts *parts)
{
    const struct asnap_graph *graph = parts->graph;
    uint64_t size;
    uint32_t largest = largest_leak(graph, &size);
    if (largest == ASNAP_GRAPH_NO_BLOCK)
        return NULL;
    struct leak leak = {.blocks = {largest}, .parents = {UINT32_MAX}, .count = 1};
    for (size_t i = 0; i < leak.count; i++)
        follow(graph, &leak, i, largest);
    struct asnap_error *error = add_wide(parts, size);
    if (error == NULL)
        error = add_wide(parts, asnap_graph_block(graph, largest).indirect_count + 1);
    for (size_t i = 0; error == NULL && i < leak.count; i++) {
        error = add(parts, leak.parents[i]);
        if (error == NULL)
            error = add_block(parts, leak.blocks[i]);
    }
    return error;
}

/* ---- ways ---- */

/* Each: the name of its root, how many blocks, and these. */
static struct asnap_error *add_ways(struct graph_parts *parts)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < parts->options->way_count; i++) {
        const struct asnap_report_way *way = &parts->options->ways[i];
        error = asnap_report_add_name(parts->stacks->names, way->root, ASNAP_PRINTABLE_TEXT,
                                      &parts->list);
        if (error == NULL)
            error = add(parts, (uint32_t)way->block_count);
        for (size_t j = 0; error == NULL && j < way->block_count; j++)
            error = add_block(parts, way->blocks[j]);
    }
    return error;
}

struct asnap_error *asnap_report_graph_write(struct asnap_report_stacks *stacks,
                                             struct asnap_report_numbering *numbering,
                                             const struct asnap_export_job *job,
                                             struct asnap_report_output *output)
{
    static const struct {
        const char *tag;
        struct asnap_error *(*add)(struct graph_parts *parts);
    } sections[] = {
        {"grke", add_keepers}, {"grli", add_lines}, {"grle", add_leak}, {"grwa", add_ways}};
    struct graph_parts parts = {.stacks = stacks,
                                .numbering = numbering,
                                .graph = job->options->graph,
                                .options = job->options->report};
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < sizeof(sections) / sizeof(sections[0]); i++) {
        error = sections[i].add(&parts);
        if (error == NULL)
            write_list(&parts, sections[i].tag, output);
    }
    free(parts.list.numbers);
    return error;
}
