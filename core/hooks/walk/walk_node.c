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

/* Makes the nodes of the stack that was walked, from the root on. */
__attribute__((noinline)) static uint32_t make_node(struct asnap_walker *walker, uint32_t omitted,
                                                    uint32_t parity)
{
    const uint32_t *stack = asnap_walker_stack(walker);
    struct asnap_walk_frame *frames = walker->frames;
    uint32_t all = asnap_walker_depth(walker);
    uint32_t depth = all;
    while (depth > omitted && frames[stack[depth]].nodes[parity] == ASNAP_TABLE_NONE)
        depth--;
    uint32_t node = depth > omitted ? frames[stack[depth]].nodes[parity] : origin(walker, omitted);
    while (depth < all && node != ASNAP_TABLE_NONE) {
        struct asnap_walk_frame *frame = &frames[stack[++depth]];
        node = asnap_stacks_child(node, place_of(&frame->step));
        frame->nodes[parity] = node;
    }
    return node;
}

uint32_t asnap_walker_intern(struct asnap_walker *walker)
{
    uint32_t limit = walker->limit;
    if (walker->nodes_limit != limit)
        forget_nodes(walker);
    uint32_t omitted = omitted_of(asnap_walker_depth(walker), limit);
    uint32_t parity = omitted == 0 ? 0 : omitted / limit & 1;
    uint32_t node = walker->frames[walker->leaf].nodes[parity];
    return __builtin_expect(node != ASNAP_TABLE_NONE, 1) ? node
                                                         : make_node(walker, omitted, parity);
}
