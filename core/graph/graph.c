#include "graph.h"

#include <inttypes.h>
#include <stdlib.h>

#include "error.h"
#include "holes.h"
#include "paths.h"
#include "vtables.h"

static const char *const class_names[ASNAP_REACH_CLASSES] = {NULL, "reachable", "possible",
                                                             "indirect", "definite"};

const char *asnap_reach_class_text(enum asnap_reach_class reach)
{
    return reach < ASNAP_REACH_CLASSES ? class_names[reach] : NULL;
}

struct asnap_error *asnap_graph_keep_snapshot(struct asnap_graph *graph,
                                              const struct asnap_snapshot *snapshot)
{
    graph->snapshot = asnap_snapshot_view(snapshot, asnap_total_list_share(snapshot->totals));
    return graph->snapshot == NULL ? asnap_error_no_memory() : NULL;
}

static struct asnap_error *read_edges(struct asnap_graph *graph,
                                      const struct asnap_word_reader *reader,
                                      const struct asnap_vtables *vtables)
{
    struct asnap_error *error = asnap_edges_init(&graph->edges, &graph->index, reader);
    if (error == NULL && vtables->interrupted)
        error = asnap_error_interrupted("reading the heap");
    return error;
}

/* The hooks' memory and what the allocator keeps, sorted; NULL where memory is short. */
static struct asnap_address_range *join(const struct asnap_address_range *own, size_t count,
                                        const struct asnap_graph_facts *facts)
{
    struct asnap_address_range *all = calloc(count + facts->structure_count + 1, sizeof(*all));
    size_t i = 0, k = 0;
    while (all != NULL && i + k < count + facts->structure_count) {
        bool is_own =
            k == facts->structure_count || (i < count && own[i].start < facts->structures[k].start);
        all[i + k] = is_own ? own[i] : facts->structures[k];
        i += is_own;
        k += !is_own;
    }
    return all;
}

static struct asnap_error *find_roots(struct asnap_graph *graph,
                                      const struct asnap_graph_facts *facts, bool gaps)
{
    struct asnap_own_ranges *own;
    size_t own_count;
    if (facts->root_address == 0)
        return asnap_roots_find(&graph->roots, facts, &graph->index, facts->structures,
                                facts->structure_count, gaps);
    struct asnap_error *error = asnap_own_ranges_create(facts->memory, facts->root_address, &own);
    if (error != NULL)
        return error;
    const struct asnap_address_range *ranges = asnap_own_ranges_list(own, &own_count);
    struct asnap_address_range *all = join(ranges, own_count, facts);
    if (all == NULL)
        error = asnap_error_no_memory();
    else
        error = asnap_roots_find(&graph->roots, facts, &graph->index, all,
                                 own_count + facts->structure_count, gaps);
    free(all);
    asnap_own_ranges_destroy(own);
    return error;
}

void asnap_graph_sum_up(struct asnap_graph *graph)
{
    for (uint32_t block = 0; block < graph->index.count; block++) {
        graph->sizes[graph->reach.classes[block]] += asnap_block_size(&graph->index, block);
        graph->counts[graph->reach.classes[block]]++;
    }
}

/* Pointers to a block whose own address has bits of the mask would all be taken for others. What is
 * at no address of a program is left out (asnap_block_index_init). */
static struct asnap_error *check_tag_mask(const struct asnap_blocks *blocks, uint64_t mask)
{
    size_t masked = 0;
    for (size_t i = 0; i < blocks->count; i++)
        masked += blocks->traces[i].address >> 48 == 0 && (blocks->traces[i].address & mask) != 0;
    if (masked == 0)
        return NULL;
    return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                              "tag mask %#" PRIx64 ": the addresses of %zu of %zu blocks have such "
                              "bits themselves, which no pointer to them could be known without: "
                              "leave these bits out of the mask",
                              mask, masked, blocks->count);
}

static struct asnap_error *compute(struct asnap_graph *graph, const struct asnap_graph_facts *facts)
{
    struct asnap_blocks *blocks;
    struct asnap_status status = {.is_whole = true};
    size_t skipped = 0;
    struct asnap_vtables *vtables = calloc(1, sizeof(*vtables));
    if (vtables == NULL)
        return asnap_error_no_memory();
    vtables->facts = facts;
    struct asnap_word_reader reader = {
        .memory = facts->memory,
        .tag_mask = facts->tag_mask,
        .heuristics = !facts->no_heuristics,
        .is_vtable = asnap_vtables_has,
        .context = vtables,
        .progress = facts->progress,
    };
    struct asnap_hole *holes = NULL;
    struct asnap_error *error = NULL;
    if (facts->root_address != 0)
        error = asnap_status_read(facts->memory, facts->root_address, &status);
    status.is_whole = status.is_whole || facts->is_completed;
    bool gaps = facts->gaps == ASNAP_GAPS_YES ||
                (facts->gaps == ASNAP_GAPS_AUTO && error == NULL && !status.is_whole);
    if (error == NULL)
        error = asnap_holes_find(facts, &holes, &reader.hole_count);
    reader.holes = holes;
    if (error == NULL)
        error = asnap_snapshot_blocks(graph->snapshot, &blocks);
    if (error == NULL)
        error = check_tag_mask(blocks, facts->tag_mask);
    if (error == NULL)
        error = asnap_block_index_init(&graph->index, blocks->traces, blocks->count, &skipped);
    if (error == NULL)
        error = find_roots(graph, facts, gaps);
    if (error == NULL)
        error = read_edges(graph, &reader, vtables);
    if (error == NULL)
        error = asnap_roots_read(&graph->roots, facts, &graph->index, &graph->edges, &reader);
    if (error == NULL)
        error = asnap_reach_init(&graph->reach, &graph->index, &graph->edges, graph->roots.pointers,
                                 graph->roots.pointer_count, facts->progress);
    free(vtables);
    free(holes);
    if (error == NULL)
        asnap_graph_sum_up(graph);
    if (error == NULL)
        error = asnap_graph_add_notes(graph, facts, status.is_whole, skipped);
    if (error == NULL)
        asnap_root_pointers_sort(graph->roots.pointers, graph->roots.pointer_count,
                                 graph->roots.roots);
    return error;
}

struct asnap_error *asnap_graph_create(const struct asnap_snapshot *snapshot,
                                       const struct asnap_graph_facts *facts,
                                       struct asnap_graph **graph)
{
    if (snapshot == NULL || facts == NULL || facts->memory == NULL || graph == NULL ||
        (facts->regions == NULL && facts->region_count != 0))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_graph_create: NULL argument");
    struct asnap_graph *made = asnap_graph_new();
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_graph_keep_snapshot(made, snapshot);
    if (error == NULL)
        error = compute(made, facts);
    if (error != NULL) {
        asnap_graph_destroy(made);
        return error;
    }
    *graph = made;
    return NULL;
}

struct asnap_graph *asnap_graph_new(void)
{
    struct asnap_graph *made = calloc(1, sizeof(*made));
    if (made != NULL)
        atomic_init(&made->references, 1);
    return made;
}

struct asnap_graph *asnap_graph_share(struct asnap_graph *graph)
{
    atomic_fetch_add(&graph->references, 1);
    return graph;
}

/* What a graph does not borrow. */
static void free_pointers(struct asnap_graph *graph)
{
    asnap_dominators_deinit(&graph->dominators);
    asnap_referrers_deinit(&graph->referrers);
    asnap_roots_deinit(&graph->roots);
    asnap_edges_deinit(&graph->edges);
    asnap_block_index_deinit(&graph->index);
    asnap_snapshot_destroy(graph->snapshot);
}

void asnap_graph_destroy(struct asnap_graph *graph)
{
    if (graph == NULL || atomic_fetch_sub(&graph->references, 1) != 1)
        return;
    asnap_reach_deinit(&graph->reach);
    if (graph->base == NULL)
        free_pointers(graph);
    else
        asnap_graph_destroy(graph->base);
    free(graph->reasons);
    free(graph->held);
    for (size_t i = 0; i < graph->note_count; i++)
        free(graph->notes[i]);
    free(graph->notes);
    free(graph);
}

const struct asnap_root *asnap_graph_roots(const struct asnap_graph *graph, size_t *count)
{
    *count = graph->roots.count;
    return graph->roots.roots;
}

void asnap_graph_sum(const struct asnap_graph *graph, enum asnap_reach_class reach, uint64_t *size,
                     uint64_t *count)
{
    *size = graph->sizes[reach];
    *count = graph->counts[reach];
}

uint32_t asnap_graph_block_count(const struct asnap_graph *graph)
{
    return graph->index.count;
}

struct asnap_graph_block_info asnap_graph_block(const struct asnap_graph *graph, uint32_t block)
{
    const struct asnap_edges *edges = &graph->edges;
    struct asnap_graph_block_info info = {
        .trace = *asnap_graph_trace(graph, block),
        .reach = graph->reach.classes[block],
        .owner = asnap_reach_owner(&graph->reach, block),
        .reference_count = edges->first[block + 1] - edges->first[block],
    };
    const struct asnap_leak *leak =
        info.reach == ASNAP_REACH_DEFINITE ? asnap_reach_leak(&graph->reach, block) : NULL;
    if (leak != NULL) {
        info.indirect_size = leak->indirect_size;
        info.indirect_count = leak->indirect_count;
        info.cycle_count = leak->cycle_count > 1 ? leak->cycle_count : 0;
    }
    if (graph->has_referrers)
        info.referrer_count = graph->referrers.first[block + 1] - graph->referrers.first[block];
    return info;
}

uint32_t asnap_graph_find(const struct asnap_graph *graph, uint64_t address)
{
    return asnap_block_index_find(&graph->index, address);
}

/* Blocks at one address are told apart by the rest. */
uint32_t asnap_graph_block_of(const struct asnap_graph *graph, const struct asnap_trace *trace)
{
    const struct asnap_block_index *index = &graph->index;
    uint32_t low = 0;
    uint32_t high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->blocks[middle].start < trace->address)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->count && index->blocks[low].start == trace->address; low++) {
        const struct asnap_trace *other = asnap_graph_trace(graph, low);
        if (other->size == trace->size && other->domain == trace->domain &&
            other->traceback_id == trace->traceback_id)
            return low;
    }
    return ASNAP_GRAPH_NO_BLOCK;
}

struct asnap_error *asnap_graph_select(const struct asnap_graph *graph,
                                       const struct asnap_snapshot *snapshot, uint32_t classes,
                                       struct asnap_snapshot **selected)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint8_t *chosen = calloc(blocks->count + 1, 1);
    if (chosen == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < blocks->count; i++) {
        uint32_t block = asnap_graph_block_of(graph, &blocks->traces[i]);
        chosen[i] = block != ASNAP_GRAPH_NO_BLOCK &&
                    (classes >> graph->reach.classes[block] & 1) != 0 &&
                    (graph->reasons == NULL || graph->reasons[block] == ASNAP_NO_BLOCK);
    }
    error = asnap_snapshot_choose(snapshot, chosen, selected);
    free(chosen);
    return error;
}
