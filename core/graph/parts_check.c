#include "parts_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Below which the number of blocks of a graph is. */
#define BLOCKS_MAX (UINT64_C(1) << 30)

#define DAMAGED(...) asnap_error_create(ASNAP_ERROR_DAMAGED, __VA_ARGS__)

/* What the blocks at hand sum to, of each class. */
static struct asnap_error *check_classes(const struct asnap_graph_parts *parts,
                                         const struct asnap_trace *traces)
{
    struct asnap_kept_sum found[ASNAP_REACH_CLASSES] = {0};
    uint64_t size = 0;
    uint64_t count = 0;
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->classes[i] >= ASNAP_REACH_CLASSES)
            return DAMAGED("block %zu: its class is %u, not a number from 0 to %d", i,
                           parts->classes[i], ASNAP_REACH_CLASSES - 1);
        found[parts->classes[i]].size += traces[i].size;
        found[parts->classes[i]].count++;
    }
    for (uint32_t i = 0; i < ASNAP_KEPT_CLASSES; i++) {
        const struct asnap_kept_sum *sum = &parts->sums[i];
        uint32_t reach = ASNAP_REACH_REACHABLE + i;
        if (sum->size < found[reach].size || sum->count < found[reach].count)
            return DAMAGED("%s blocks: %" PRIu64 " bytes in %" PRIu64 " of the heap, but %" PRIu64
                           " bytes in %" PRIu64 " of the file",
                           asnap_reach_class_text((enum asnap_reach_class)reach), sum->size,
                           sum->count, found[reach].size, found[reach].count);
        if (sum->size > (uint64_t)INT64_MAX - size || sum->count >= BLOCKS_MAX - count)
            return DAMAGED(
                "the blocks of all classes sum up to 2^63 bytes or 2^30 blocks, or more");
        size += sum->size;
        count += sum->count;
    }
    return NULL;
}

static struct asnap_error *check_leak(const struct asnap_graph_parts *parts,
                                      const struct asnap_kept_leak *leak)
{
    bool is_definite = parts->classes[leak->place] == ASNAP_REACH_DEFINITE;
    uint32_t owner = leak->owner;
    bool has_right_owner =
        is_definite ? owner == leak->place
                    : owner == ASNAP_KEPT_NONE ||
                          (owner < parts->count && parts->classes[owner] == ASNAP_REACH_DEFINITE);
    if (!has_right_owner)
        return DAMAGED("leaked block %u: block %u stands for it, which is none that can",
                       leak->place, owner);
    if (!is_definite &&
        (leak->indirect_size != 0 || leak->indirect_count != 0 || leak->cycle_count != 0))
        return DAMAGED("leaked block %u is indirect, but has blocks that only it leads to",
                       leak->place);
    if (leak->cycle_count == 1 ||
        (leak->cycle_count != 0 && leak->cycle_count - 1 > leak->indirect_count))
        return DAMAGED("leaked block %u stands for a cycle of %u blocks, but leads to %u",
                       leak->place, leak->cycle_count, leak->indirect_count);
    return NULL;
}

/* Each leaked block has its entry, and only they. */
static struct asnap_error *check_places(const struct asnap_graph_parts *parts)
{
    size_t leaked = 0;
    uint64_t size = 0;
    uint64_t count = 0;
    const struct asnap_kept_sum *all = &parts->sums[ASNAP_REACH_INDIRECT - ASNAP_REACH_REACHABLE];
    for (size_t i = 0; i < parts->count; i++)
        leaked += parts->classes[i] >= ASNAP_REACH_INDIRECT;
    if (leaked != parts->leak_count)
        return DAMAGED("%zu blocks are definite or indirect, but %zu are listed as such", leaked,
                       parts->leak_count);
    for (size_t i = 0; i < parts->leak_count; i++) {
        const struct asnap_kept_leak *leak = &parts->leaks[i];
        if (leak->place >= parts->count || (i > 0 && leak->place <= leak[-1].place) ||
            parts->classes[leak->place] < ASNAP_REACH_INDIRECT)
            return DAMAGED("leaked block %zu: block %u of %zu blocks is not after the one before, "
                           "or its class is another",
                           i, leak->place, parts->count);
        struct asnap_error *error = check_leak(parts, leak);
        if (error != NULL)
            return error;
        if (leak->indirect_size > all->size - size || leak->indirect_count > all->count - count)
            return DAMAGED("what leaked blocks lead to sums up to more than the %" PRIu64
                           " bytes in %" PRIu64 " indirect blocks that there are",
                           all->size, all->count);
        size += leak->indirect_size;
        count += leak->indirect_count;
    }
    return NULL;
}

/* What the indirect blocks of each definite one sum to. */
static struct asnap_error *check_owned(const struct asnap_graph_parts *parts,
                                       const struct asnap_trace *traces)
{
    struct asnap_kept_sum *owned = calloc(parts->count + 1, sizeof(*owned));
    struct asnap_error *error = NULL;
    if (owned == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < parts->leak_count; i++) {
        const struct asnap_kept_leak *leak = &parts->leaks[i];
        if (leak->owner == ASNAP_KEPT_NONE || leak->owner == leak->place)
            continue;
        owned[leak->owner].size += traces[leak->place].size;
        owned[leak->owner].count++;
    }
    for (size_t i = 0; error == NULL && i < parts->leak_count; i++) {
        const struct asnap_kept_leak *leak = &parts->leaks[i];
        const struct asnap_kept_sum *sum = &owned[leak->place];
        if (sum->size > leak->indirect_size || sum->count > leak->indirect_count)
            error = DAMAGED("leaked block %u leads to %" PRIu64 " bytes in %u blocks, but stands "
                            "for %" PRIu64 " bytes in %" PRIu64,
                            leak->place, leak->indirect_size, leak->indirect_count, sum->size,
                            sum->count);
    }
    free(owned);
    return error;
}

static struct asnap_error *check_pointers(const struct asnap_graph_parts *parts)
{
    if (parts->pointer_count >= UINT32_MAX)
        return DAMAGED("%zu pointers are more than can be counted", parts->pointer_count);
    for (size_t i = 0; i < parts->pointer_count; i++) {
        const struct asnap_kept_pointer *pointer = &parts->pointers[i];
        uint32_t to = pointer->to & ~ASNAP_KEPT_INSIDE;
        if (pointer->from >= parts->count || to >= parts->count)
            return DAMAGED("pointer %zu is from block %u to block %u of %zu blocks", i,
                           pointer->from, to, parts->count);
        if (i > 0 && pointer->from < pointer[-1].from)
            return DAMAGED("pointer %zu is from block %u, and the one before it from block %u", i,
                           pointer->from, pointer[-1].from);
        uint8_t from_class = parts->classes[pointer->from];
        uint8_t to_class = parts->classes[to];
        if (from_class < ASNAP_REACH_POSSIBLE || to_class < ASNAP_REACH_POSSIBLE ||
            (from_class == ASNAP_REACH_POSSIBLE && to_class != ASNAP_REACH_POSSIBLE))
            return DAMAGED("pointer %zu is from block %u of class %u to block %u of class %u", i,
                           pointer->from, from_class, to, to_class);
    }
    return NULL;
}

static struct asnap_error *check_retained(const struct asnap_graph_parts *parts,
                                          const struct asnap_trace *traces, size_t place)
{
    const struct asnap_kept_retained *one = &parts->retained[place];
    uint32_t above = one->dominator;
    if (parts->classes[place] == ASNAP_REACH_UNKNOWN) {
        if (one->size != 0 || one->count != 0 || above != ASNAP_KEPT_NONE)
            return DAMAGED("block %zu has no class, but keeps blocks alive or is kept by one",
                           place);
        return NULL;
    }
    if (above != ASNAP_KEPT_NONE &&
        (above >= parts->count || parts->classes[above] == ASNAP_REACH_UNKNOWN))
        return DAMAGED("block %zu: block %u of %zu blocks keeps it alive", place, above,
                       parts->count);
    if (one->size < traces[place].size || one->size > (uint64_t)INT64_MAX || one->count == 0)
        return DAMAGED("block %zu has %" PRIu64 " bytes, but keeps %" PRIu64 " alive in %u blocks",
                       place, traces[place].size, one->size, one->count);
    return NULL;
}

/* What blocks keep alive of others that are in the file: `below` counts those that are not through
 * yet, and `left` is what their own retained sizes leave. */
struct forest {
    const struct asnap_graph_parts *parts;
    uint32_t *below;
    struct asnap_kept_sum *left;
    uint32_t *order; /* filled from its end on */
};

static struct asnap_error *take_from(const struct forest *forest, uint32_t place)
{
    const struct asnap_kept_retained *one = &forest->parts->retained[place];
    struct asnap_kept_sum *left = &forest->left[one->dominator];
    if (one->size > left->size || one->count > left->count)
        return DAMAGED("block %u keeps %" PRIu64 " bytes alive in %u blocks, less than those that "
                       "it dominates",
                       one->dominator, forest->parts->retained[one->dominator].size,
                       forest->parts->retained[one->dominator].count);
    left->size -= one->size;
    left->count -= one->count;
    forest->below[one->dominator]--;
    return NULL;
}

/* Takes the blocks from the leaves of the forest on; a cycle has none. */
static struct asnap_error *take_leaves(const struct forest *forest)
{
    const struct asnap_graph_parts *parts = forest->parts;
    uint32_t count = (uint32_t)parts->count;
    uint32_t first = count; /* of the blocks in the order */
    for (uint32_t place = 0; place < count; place++) {
        if (forest->below[place] == 0)
            forest->order[--first] = place;
    }
    for (uint32_t next = count; next > first; next--) {
        uint32_t place = forest->order[next - 1];
        uint32_t above = parts->retained[place].dominator;
        if (above == ASNAP_KEPT_NONE)
            continue;
        struct asnap_error *error = take_from(forest, place);
        if (error != NULL)
            return error;
        if (forest->below[above] == 0)
            forest->order[--first] = above;
    }
    return first == 0 ? NULL : DAMAGED("%u blocks keep each other alive in a circle", first);
}

/* No block keeps more alive than the heap holds, nor do all that nothing else keeps. */
static struct asnap_error *check_tops(const struct asnap_graph_parts *parts)
{
    struct asnap_kept_sum all = {0};
    for (uint32_t i = 0; i < ASNAP_KEPT_CLASSES; i++) {
        all.size += parts->sums[i].size;
        all.count += parts->sums[i].count;
    }
    struct asnap_kept_sum left = all;
    for (size_t i = 0; i < parts->count; i++) {
        const struct asnap_kept_retained *one = &parts->retained[i];
        if (one->dominator != ASNAP_KEPT_NONE)
            continue;
        if (one->size > left.size || one->count > left.count)
            return DAMAGED("the blocks keep more alive than the %" PRIu64 " bytes in %" PRIu64
                           " blocks of the heap",
                           all.size, all.count);
        left.size -= one->size;
        left.count -= one->count;
    }
    return NULL;
}

static struct asnap_error *check_forest(const struct asnap_graph_parts *parts,
                                        const struct asnap_trace *traces, uint32_t *order)
{
    struct forest forest = {.parts = parts, .order = order};
    forest.below = calloc(parts->count + 1, sizeof(*forest.below));
    forest.left = calloc(parts->count + 1, sizeof(*forest.left));
    struct asnap_error *error = NULL;
    if (forest.below == NULL || forest.left == NULL)
        error = asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < parts->count; i++)
        error = check_retained(parts, traces, i);
    for (size_t i = 0; error == NULL && i < parts->count; i++) {
        const struct asnap_kept_retained *one = &parts->retained[i];
        if (one->count != 0)
            forest.left[i] = (struct asnap_kept_sum){one->size - traces[i].size, one->count - 1};
        if (one->dominator != ASNAP_KEPT_NONE)
            forest.below[one->dominator]++;
    }
    if (error == NULL)
        error = take_leaves(&forest);
    if (error == NULL)
        error = check_tops(parts);
    free(forest.below);
    free(forest.left);
    return error;
}

struct asnap_error *asnap_graph_parts_check(const struct asnap_graph_parts *parts,
                                            const struct asnap_trace *traces, uint32_t *order)
{
    struct asnap_error *error = check_classes(parts, traces);
    if (error == NULL)
        error = check_places(parts);
    if (error == NULL)
        error = check_owned(parts, traces);
    if (error == NULL)
        error = check_pointers(parts);
    if (error == NULL)
        error = check_forest(parts, traces, order);
    return error;
}
