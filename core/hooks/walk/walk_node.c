/* From a walk to a node of the stack tree.
 *
 * With the frame limit L, a stack of fewer than 2 L frames is kept whole; of a deeper one
 * the oldest frames are left out, a multiple of L, so that L to 2 L - 1 are kept. So the
 * root of a stack stays the same while the depth changes a little, and a frame, by its
 * place from the bottom, is below one of two roots only. Its nodes below both are
 * remembered, at the place that the parity of the root says. */
#include "allocsnap_table.h"
#include "stacks.h"
#include "walker.h"

static uint32_t omitted_of(uint32_t depth, uint32_t limit)
{
    return depth < 2 * limit ? 0 : (depth / limit - 1) * limit;
}

static uint32_t origin(struct asnap_walker *walker, uint32_t omitted)
{
    if (walker->origin_node == ASNAP_TABLE_NONE || walker->origin_omitted != omitted) {
        uint64_t told =
            omitted < ASNAP_TABLE_FRAME_LIMIT_MAX ? omitted : ASNAP_TABLE_FRAME_LIMIT_MAX;
        if (walker->limit == 1)
            told = ASNAP_TABLE_NOT_COUNTED;
        walker->origin_node = asnap_stacks_origin(told);
        walker->origin_omitted = omitted;
    }
    return walker->origin_node;
}

static void forget_nodes(struct asnap_walker *walker)
{
    for (uint32_t i = 0; i < walker->count; i++)
        walker->frames[i].nodes[0] = walker->frames[i].nodes[1] = ASNAP_TABLE_NONE;
    walker->origin_node = ASNAP_TABLE_NONE;
    walker->nodes_limit = walker->limit;
}

/* A frame as a node has it. What has more bits than an address is none: a wild call's, or the end
 * of a stack made by hand. */
static uint64_t place_of(const struct asnap_step *step)
{
    uint64_t pc = step->words[ASNAP_WORD_PC];
    return pc != asnap_table_node_pc(pc) ? 0 : pc | (uint64_t)step->module << ASNAP_TABLE_PC_BITS;
}

/* The node of the frame at `depth` of a path, made with those of all older ones where it is not
 * known. */
__attribute__((noinline)) static uint32_t make_node(struct asnap_walker *walker,
                                                    const struct asnap_path *path, uint32_t all,
                                                    uint32_t omitted, uint32_t parity)
{
    struct asnap_walk_frame *frames = walker->frames;
    uint32_t depth = all;
    while (depth > omitted && frames[path->frames[depth]].nodes[parity] == ASNAP_TABLE_NONE)
        depth--;
    uint32_t node =
        depth > omitted ? frames[path->frames[depth]].nodes[parity] : origin(walker, omitted);
    while (depth < all && node != ASNAP_TABLE_NONE) {
        struct asnap_walk_frame *frame = &frames[path->frames[++depth]];
        node = asnap_stacks_child(node, place_of(&frame->step));
        frame->nodes[parity] = node;
    }
    return node;
}

__attribute__((noinline)) static uint32_t make_leaf_node(struct asnap_walker *walker,
                                                         uint32_t omitted, uint32_t parity)
{
    struct asnap_path *path = asnap_walker_path(walker, walker->leaf);
    asnap_walker_lay_path(walker, path, walker->leaf);
    return make_node(walker, path, path->depth, omitted, parity);
}

/* ---- short walks ---- */

static inline bool is_suffix(const struct asnap_suffix *suffix, const struct asnap_walker *walker,
                             uint32_t under)
{
    uint64_t different = suffix->under ^ under;
    for (int i = 0; i < ASNAP_SUFFIX_FRAMES; i++)
        different |= suffix->places[i] ^ walker->suffix[i];
    return different == 0;
}

/* A handler may jump out of it at any instruction, so what is written in part must be of no use. */
static void keep_suffix(struct asnap_suffix *suffix, const struct asnap_walker *walker,
                        uint32_t under, uint32_t node)
{
    suffix->under = ASNAP_TABLE_NONE;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    for (int i = 0; i < ASNAP_SUFFIX_FRAMES; i++)
        suffix->places[i] = walker->suffix[i];
    suffix->node = node;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    suffix->under = under;
}

/* The way down the tree along the suffix. */
__attribute__((noinline)) static uint32_t make_suffix(struct asnap_walker *walker,
                                                      struct asnap_suffix *suffix, uint32_t under)
{
    uint32_t node = under;
    for (uint32_t i = walker->suffix_count; i > 0 && node != ASNAP_TABLE_NONE; i--)
        node = asnap_stacks_child(node, walker->suffix[i - 1]);
    if (node != ASNAP_TABLE_NONE)
        keep_suffix(suffix, walker, under, node);
    return node;
}

/* A suffix has two places. */
static uint32_t find_suffix(struct asnap_walker *walker, uint32_t under)
{
    uint64_t hash = under;
    for (int i = 0; i < ASNAP_SUFFIX_FRAMES; i++)
        hash = (hash ^ walker->suffix[i]) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t place = hash >> 40 & (ASNAP_SUFFIXES - 1);
    struct asnap_suffix *suffix = &walker->suffixes[place];
    if (is_suffix(suffix, walker, under))
        return suffix->node;
    suffix = &walker->suffixes[place ^ 1];
    if (is_suffix(suffix, walker, under))
        return suffix->node;
    return make_suffix(walker, &walker->suffixes[place ^ (walker->window & 1)], under);
}

static uint32_t intern_shortly(struct asnap_walker *walker)
{
    const struct asnap_path *path = walker->junction_path;
    uint32_t omitted = omitted_of(asnap_walker_depth(walker), walker->limit);
    uint32_t parity = omitted == 0 ? 0 : omitted / walker->limit & 1;
    uint32_t under = walker->frames[path->frames[walker->junction]].nodes[parity];
    if (under == ASNAP_TABLE_NONE)
        under = make_node(walker, path, walker->junction, omitted, parity);
    return under == ASNAP_TABLE_NONE ? under : find_suffix(walker, under);
}

uint32_t asnap_walker_intern(struct asnap_walker *walker)
{
    uint32_t limit = walker->limit;
    if (walker->nodes_limit != limit)
        forget_nodes(walker);
    if (walker->suffix_count != 0)
        return intern_shortly(walker);
    uint32_t omitted = omitted_of(asnap_walker_depth(walker), limit);
    uint32_t parity = omitted == 0 ? 0 : omitted / limit & 1;
    uint32_t node = walker->frames[walker->leaf].nodes[parity];
    return __builtin_expect(node != ASNAP_TABLE_NONE, 1) ? node
                                                         : make_leaf_node(walker, omitted, parity);
}
