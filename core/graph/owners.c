/* What owns each block: a search from all roots at once, in which each block has the owner of the
 * one that it was met from, or is the object of a class itself. */
#include <stdlib.h>
#include <string.h>

#include "block_types.h"
#include "error.h"
#include "graph.h"
#include "graph_poll.h"
#include "grow.h"
#include "paths.h"
#include "store.h"

#define STEP "finding what owns blocks"

struct asnap_owner_list {
    struct asnap_reference *roots;
    size_t root_count;
    uint64_t *addresses; /* of the blocks that have an owner, ascending */
    uint32_t *owners;    /* of each: one of `roots`; from root_count on a class */
    size_t count;
};

struct search {
    const struct asnap_graph *graph;
    const struct asnap_types *types; /* NULL: no classes are known */
    const struct asnap_progress *progress;
    uint32_t *owners; /* of each block: 1 + a place among the roots' pointers, or CLASS | a class;
                         0: it was not met */
    uint32_t *queue;  /* those that were met, of which the first `done` are gone through */
    uint32_t met;
    uint32_t done;
};

#define CLASS UINT32_C(0x80000000)

/* A stack slot may be a variable, which a register is not. */
static unsigned rank_of(const struct asnap_graph *graph, const struct asnap_root_pointer *pointer)
{
    uint32_t kind = graph->roots.roots[pointer->root].kind;
    if (kind == ASNAP_ROOT_STACK)
        return asnap_root_rank(ASNAP_ROOT_REGISTER);
    return asnap_root_rank(kind == ASNAP_ROOT_REGISTER ? ASNAP_ROOT_STACK : kind);
}

static void meet(struct search *search, uint32_t block, uint32_t owner)
{
    if (search->owners[block] != 0)
        return;
    uint32_t type = ASNAP_NONE;
    if (search->types != NULL)
        type = asnap_types_of(search->types, asnap_graph_trace(search->graph, block));
    search->owners[block] = type == ASNAP_NONE ? owner : CLASS | type;
    search->queue[search->met++] = block;
}

/* Meets all that the blocks lead to which were met since the last time. */
static struct asnap_error *go_on(struct search *search)
{
    const struct asnap_edges *edges = &search->graph->edges;
    struct asnap_error *error = NULL;
    for (; error == NULL && search->done < search->met; search->done++) {
        uint32_t block = search->queue[search->done];
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++)
            meet(search, asnap_edge_block(edges->targets[i]), search->owners[block]);
        if (search->done % ASNAP_POLL_EVERY == ASNAP_POLL_EVERY - 1)
            error =
                asnap_graph_poll(search->progress, STEP, search->done, search->graph->index.count);
    }
    return error;
}

/* Meets all that roots lead to: those first that variables do, or other memory of the program's. In
 * stacks and registers are old values, too, which may lead to any block of a list. */
static struct asnap_error *meet_all(struct search *search)
{
    const struct asnap_roots *roots = &search->graph->roots;
    struct asnap_error *error = NULL;
    for (unsigned rank = 0; error == NULL && rank < ASNAP_ROOT_KINDS; rank++) {
        for (size_t i = 0; i < roots->pointer_count; i++) {
            if (rank_of(search->graph, &roots->pointers[i]) == rank)
                meet(search, asnap_edge_block(roots->pointers[i].edge), (uint32_t)i + 1);
        }
        error = asnap_graph_poll(search->progress, STEP, search->done, search->graph->index.count);
        if (error == NULL && rank >= asnap_root_rank(ASNAP_ROOT_MAPPING))
            error = go_on(search);
    }
    return error;
}

static int by_place(const void *left, const void *right)
{
    const struct asnap_reference *a = left;
    const struct asnap_reference *b = right;
    if (a->root != b->root)
        return a->root < b->root ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return (a->block > b->block) - (a->block < b->block);
}

/* Lists the pointers in roots that own blocks. */
static struct asnap_error *list_roots(struct asnap_owner_list *list, const struct search *search)
{
    const struct asnap_roots *roots = &search->graph->roots;
    uint8_t *owns = calloc(roots->pointer_count / 8 + 1, 1);
    list->roots = calloc(roots->pointer_count + 1, sizeof(*list->roots));
    if (owns == NULL || list->roots == NULL) {
        free(owns);
        return asnap_error_no_memory();
    }
    for (uint32_t block = 0; block < search->graph->index.count; block++) {
        uint32_t owner = search->owners[block];
        if (owner != 0 && (owner & CLASS) == 0)
            owns[(owner - 1) / 8] |= (uint8_t)(1u << (owner - 1) % 8);
    }
    for (size_t i = 0; i < roots->pointer_count; i++) {
        const struct asnap_root_pointer *pointer = &roots->pointers[i];
        if ((owns[i / 8] >> i % 8 & 1) == 0)
            continue;
        list->roots[list->root_count++] = (struct asnap_reference){
            .place = pointer->place,
            .block = asnap_edge_block(pointer->edge),
            .root = pointer->root,
            .inside = !asnap_edge_is_start(pointer->edge),
        };
    }
    free(owns);
    qsort(list->roots, list->root_count, sizeof(*list->roots), by_place);
    return NULL;
}

/* Where a pointer that owns blocks stands in the list. */
static uint32_t place_of(const struct asnap_owner_list *list,
                         const struct asnap_root_pointer *pointer)
{
    const struct asnap_reference wanted = {
        .place = pointer->place, .block = asnap_edge_block(pointer->edge), .root = pointer->root};
    const struct asnap_reference *found =
        bsearch(&wanted, list->roots, list->root_count, sizeof(wanted), by_place);
    return found == NULL ? 0 : (uint32_t)(found - list->roots);
}

static struct asnap_error *list_blocks(struct asnap_owner_list *list, const struct search *search)
{
    const struct asnap_graph *graph = search->graph;
    list->addresses = calloc((size_t)search->met + 1, sizeof(*list->addresses));
    list->owners = calloc((size_t)search->met + 1, sizeof(*list->owners));
    if (list->addresses == NULL || list->owners == NULL)
        return asnap_error_no_memory();
    uint32_t last = 0; /* a root's pointer mostly owns several blocks in a row */
    uint32_t last_place = 0;
    for (uint32_t block = 0; block < graph->index.count; block++) {
        uint32_t owner = search->owners[block];
        if (owner == 0)
            continue;
        list->addresses[list->count] = graph->index.blocks[block].start;
        if ((owner & CLASS) != 0) {
            list->owners[list->count++] = (uint32_t)list->root_count + (owner & ~CLASS);
            continue;
        }
        if (owner != last)
            last_place = place_of(list, &graph->roots.pointers[owner - 1]);
        last = owner;
        list->owners[list->count++] = last_place;
    }
    return NULL;
}

static struct asnap_error *fill(struct asnap_owner_list *list, struct search *search)
{
    search->owners = asnap_large_array(search->graph->index.count, sizeof(*search->owners));
    search->queue = asnap_large_array(search->graph->index.count, sizeof(*search->queue));
    if (search->owners == NULL || search->queue == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = meet_all(search);
    if (error == NULL)
        error = list_roots(list, search);
    return error == NULL ? list_blocks(list, search) : error;
}

struct asnap_error *asnap_owner_list_create(const struct asnap_graph *graph,
                                            const struct asnap_snapshot *snapshot,
                                            const struct asnap_progress *progress,
                                            struct asnap_owner_list **list)
{
    struct search search = {.graph = graph, .types = snapshot->store->types, .progress = progress};
    struct asnap_error *error = asnap_graph_check_whole(graph, "what leads to blocks");
    if (error != NULL)
        return error;
    if (graph->roots.pointer_count >= CLASS - 1)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "more than 2^31 pointers outside of blocks lead to them: what "
                                  "owns them is not sought");
    struct asnap_owner_list *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    error = fill(made, &search);
    free(search.owners);
    free(search.queue);
    if (error != NULL) {
        asnap_owner_list_destroy(made);
        return error;
    }
    *list = made;
    return NULL;
}

void asnap_owner_list_destroy(struct asnap_owner_list *list)
{
    if (list == NULL)
        return;
    free(list->roots);
    free(list->addresses);
    free(list->owners);
    free(list);
}

const struct asnap_reference *asnap_owner_list_roots(const struct asnap_owner_list *list,
                                                     size_t *count)
{
    *count = list->root_count;
    return list->roots;
}

struct asnap_error *asnap_owner_list_name(const struct asnap_owner_list *list,
                                          const struct asnap_snapshot *snapshot,
                                          const char *const *names)
{
    struct asnap_store *store = snapshot->store;
    if (store->owners != NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_owner_list_name: the snapshot has owners already");
    uint32_t class_count = store->types == NULL ? 0 : store->types->name_count;
    const char **all = calloc(list->root_count + class_count + 1, sizeof(*all));
    if (all == NULL)
        return asnap_error_no_memory();
    if (list->root_count != 0)
        memcpy(all, names, list->root_count * sizeof(*all));
    for (uint32_t i = 0; i < class_count; i++)
        all[list->root_count + i] = store->types->names[i];
    struct asnap_error *error =
        asnap_types_create(NULL, list->addresses, list->owners, list->count, all,
                           (uint32_t)list->root_count + class_count, &store->owners);
    free(all);
    return error;
}
