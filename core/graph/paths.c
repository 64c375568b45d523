#include "paths.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

unsigned asnap_root_rank(uint32_t kind)
{
    static const uint32_t best_first[] = {
        ASNAP_ROOT_FILE,  ASNAP_ROOT_TLS,      ASNAP_ROOT_MAPPING, ASNAP_ROOT_REGISTER,
        ASNAP_ROOT_STACK, ASNAP_ROOT_RED_ZONE, ASNAP_ROOT_GAP,
    };
    enum { COUNT = sizeof(best_first) / sizeof(best_first[0]) };
    static_assert((int)COUNT == (int)ASNAP_ROOT_KINDS, "each kind has a rank");
    unsigned rank = 0;
    while (rank < COUNT && best_first[rank] != kind)
        rank++;
    return rank;
}

static unsigned rank_of(const struct asnap_root *roots, const struct asnap_root_pointer *pointer)
{
    return roots == NULL ? 0 : asnap_root_rank(roots[pointer->root].kind);
}

static int by_block(const void *left, const void *right, void *roots)
{
    const struct asnap_root_pointer *a = left;
    const struct asnap_root_pointer *b = right;
    uint32_t a_block = asnap_edge_block(a->edge);
    uint32_t b_block = asnap_edge_block(b->edge);
    if (a_block != b_block)
        return a_block < b_block ? -1 : 1;
    unsigned a_rank = rank_of(roots, a);
    unsigned b_rank = rank_of(roots, b);
    if (a_rank != b_rank)
        return a_rank < b_rank ? -1 : 1;
    if (asnap_edge_is_start(a->edge) != asnap_edge_is_start(b->edge))
        return asnap_edge_is_start(a->edge) ? -1 : 1;
    if (a->root != b->root)
        return a->root < b->root ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

void asnap_root_pointers_sort(struct asnap_root_pointer *pointers, size_t count,
                              const struct asnap_root *roots)
{
    if (count > 1)
        qsort_r(pointers, count, sizeof(*pointers), by_block, (void *)(uintptr_t)roots);
}

struct asnap_error *asnap_paths_init(struct asnap_paths *paths, uint32_t block_count,
                                     const struct asnap_referrers *referrers,
                                     const struct asnap_root_pointer *roots, size_t root_count,
                                     const struct asnap_root *kinds, uint32_t target)
{
    *paths = (struct asnap_paths){.referrers = referrers,
                                  .roots = roots,
                                  .root_count = root_count,
                                  .kinds = kinds,
                                  .target = target};
    paths->queue = malloc(block_count * sizeof(*paths->queue));
    paths->next = malloc(block_count * sizeof(*paths->next));
    paths->taken = calloc((size_t)block_count / 8 + 1, 1);
    if (paths->queue == NULL || paths->next == NULL || paths->taken == NULL) {
        asnap_paths_deinit(paths);
        return asnap_error_no_memory();
    }
    memset(paths->next, 0xff, block_count * sizeof(*paths->next));
    return NULL;
}

void asnap_paths_deinit(struct asnap_paths *paths)
{
    free(paths->queue);
    free(paths->next);
    free(paths->taken);
    *paths = (struct asnap_paths){0};
}

void asnap_path_deinit(struct asnap_path *path)
{
    free(path->blocks);
    *path = (struct asnap_path){0};
}

static bool is_taken(const struct asnap_paths *paths, uint32_t block)
{
    return (paths->taken[block / 8] >> (block % 8) & 1) != 0;
}

/* The first root pointer to a block; root_count: none. */
static size_t first_root(const struct asnap_paths *paths, uint32_t block)
{
    size_t first = 0;
    size_t end = paths->root_count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (asnap_edge_block(paths->roots[middle].edge) < block)
            first = middle + 1;
        else
            end = middle;
    }
    bool found = first < paths->root_count && asnap_edge_block(paths->roots[first].edge) == block;
    return found ? first : paths->root_count;
}

/* The root pointer that a path may begin with at a block; root_count: none. The target may be
 * where several paths begin, each at a pointer of its own. */
static size_t unused_root(const struct asnap_paths *paths, uint32_t block)
{
    size_t root = first_root(paths, block);
    if (block != paths->target || root == paths->root_count)
        return root;
    root += paths->roots_used;
    bool more = root < paths->root_count && asnap_edge_block(paths->roots[root].edge) == block;
    return more ? root : paths->root_count;
}

/* The block nearest to the target that a root points to, and so the first of the path; of several
 * the one with the best root. */
static uint32_t search(struct asnap_paths *paths, size_t *root, size_t *met)
{
    const struct asnap_referrers *referrers = paths->referrers;
    uint32_t best = ASNAP_NO_BLOCK;
    size_t done = 0;
    *met = 0;
    paths->queue[(*met)++] = paths->target;
    paths->next[paths->target] = paths->target;
    size_t level_end = *met; /* of the blocks that are equally near */
    while (done < *met) {
        uint32_t block = paths->queue[done++];
        size_t found = unused_root(paths, block);
        if (found != paths->root_count &&
            (best == ASNAP_NO_BLOCK || rank_of(paths->kinds, &paths->roots[found]) <
                                           rank_of(paths->kinds, &paths->roots[*root]))) {
            best = block;
            *root = found;
        }
        for (uint32_t i = referrers->first[block];
             best == ASNAP_NO_BLOCK && i < referrers->first[block + 1]; i++) {
            uint32_t source = referrers->sources[i];
            if (paths->next[source] != ASNAP_NO_BLOCK || is_taken(paths, source))
                continue;
            paths->next[source] = block;
            paths->queue[(*met)++] = source;
        }
        if (done == level_end) {
            if (best != ASNAP_NO_BLOCK)
                return best;
            level_end = *met;
        }
    }
    return best;
}

static struct asnap_error *take_path(struct asnap_paths *paths, uint32_t first,
                                     struct asnap_path *path)
{
    size_t count = 1;
    for (uint32_t block = first; block != paths->target; block = paths->next[block])
        count++;
    path->blocks = malloc(count * sizeof(*path->blocks));
    if (path->blocks == NULL)
        return asnap_error_no_memory();
    for (uint32_t block = first; path->count < count; block = paths->next[block]) {
        path->blocks[path->count++] = block;
        if (block != paths->target)
            paths->taken[block / 8] |= (uint8_t)(1u << (block % 8));
    }
    paths->roots_used += first == paths->target;
    return NULL;
}

struct asnap_error *asnap_paths_next(struct asnap_paths *paths, struct asnap_path *path)
{
    struct asnap_path found = {0};
    size_t met;
    uint32_t first = search(paths, &found.root, &met);
    struct asnap_error *error = first == ASNAP_NO_BLOCK ? NULL : take_path(paths, first, &found);
    for (size_t i = 0; i < met; i++)
        paths->next[paths->queue[i]] = ASNAP_NO_BLOCK;
    if (error == NULL)
        *path = found;
    return error;
}
