#include "stacks.h"

#include "linear_hash.h"
#include "lock.h"
#include "pages.h"
#include "root.h"

/* As many buckets as nodes, so that a segment of buckets comes with each chunk. */
enum {
    SEGMENT_BUCKETS = ASNAP_TABLE_CHUNK_NODES,
    SEGMENT_BYTES = SEGMENT_BUCKETS * sizeof(uint32_t),
    CHUNK_BYTES = ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_node),
};

/* Bits 0-31 the number of buckets, bits 32-63 their mask: one word, because look-ups
 * without the lock need both as they belong together. */
static uint64_t buckets;
static uint64_t segments[ASNAP_TABLE_NODE_CHUNKS];
static uint64_t chunks[ASNAP_TABLE_NODE_CHUNKS]; /* what the root's node_chunks leads to */
static uint32_t tree_lock;

static struct asnap_table_node *node_at(uint32_t index)
{
    uint64_t chunk = __atomic_load_n(&chunks[index / ASNAP_TABLE_CHUNK_NODES], __ATOMIC_RELAXED);
    return (struct asnap_table_node *)(uintptr_t)chunk + index % ASNAP_TABLE_CHUNK_NODES;
}

static uint32_t *bucket_at(uint32_t bucket)
{
    uint64_t segment = __atomic_load_n(&segments[bucket / SEGMENT_BUCKETS], __ATOMIC_RELAXED);
    return (uint32_t *)(uintptr_t)segment + bucket % SEGMENT_BUCKETS;
}

static uint32_t *bucket_of(uint32_t parent, uint64_t pc, uint64_t table)
{
    uint64_t mixed = (pc ^ ((uint64_t)parent << 32 | parent)) * UINT64_C(0x9e3779b97f4a7c15);
    return bucket_at(
        asnap_linear_bucket((uint32_t)(mixed >> 32), (uint32_t)table, (uint32_t)(table >> 32)));
}

/* Safe without the lock: nodes never change but for `next`, and the list of a bucket that
 * is being split leads to the end all the same. A node that is there may be missed then;
 * one that is found is right. */
static inline uint32_t find(uint32_t parent, uint64_t pc)
{
    uint64_t table = __atomic_load_n(&buckets, __ATOMIC_ACQUIRE);
    uint32_t item = __atomic_load_n(bucket_of(parent, pc, table), __ATOMIC_ACQUIRE);
    while (item != 0) {
        struct asnap_table_node *node = node_at(item - 1);
        if (node->pc == pc && node->parent == parent)
            return item - 1;
        item = __atomic_load_n(&node->next, __ATOMIC_ACQUIRE);
    }
    return ASNAP_TABLE_NONE;
}

static void link_node(uint32_t *bucket, struct asnap_table_node *node, uint32_t item)
{
    __atomic_store_n(&node->next, *bucket, __ATOMIC_RELEASE);
    __atomic_store_n(bucket, item, __ATOMIC_RELEASE);
}

/* Adds a bucket. Without memory the lists just stay long. */
static void split_bucket(void)
{
    uint32_t added = (uint32_t)buckets;
    uint32_t mask = asnap_linear_mask(added + 1, (uint32_t)(buckets >> 32));
    uint64_t table = (uint64_t)mask << 32 | (added + 1);
    if (segments[added / SEGMENT_BUCKETS] == 0) {
        void *segment = asnap_pages_map(SEGMENT_BYTES);
        if (segment == NULL)
            return;
        __atomic_store_n(&segments[added / SEGMENT_BUCKETS], (uint64_t)(uintptr_t)segment,
                         __ATOMIC_RELEASE);
    }
    uint32_t *link = bucket_at(asnap_linear_split(added, mask));
    uint32_t *moved = bucket_at(added);
    while (*link != 0) {
        uint32_t item = *link;
        struct asnap_table_node *node = node_at(item - 1);
        if (bucket_of(node->parent, node->pc, table) == moved) {
            __atomic_store_n(link, node->next, __ATOMIC_RELEASE);
            link_node(moved, node, item);
        } else {
            link = &node->next;
        }
    }
    __atomic_store_n(&buckets, table, __ATOMIC_RELEASE);
}

static bool have_chunk(uint32_t chunk)
{
    if (chunk >= ASNAP_TABLE_NODE_CHUNKS)
        return false;
    if (chunks[chunk] == 0) {
        void *pages = asnap_pages_map(CHUNK_BYTES);
        __atomic_store_n(&chunks[chunk], (uint64_t)(uintptr_t)pages, __ATOMIC_RELEASE);
    }
    return chunks[chunk] != 0;
}

static uint32_t add(uint32_t parent, uint64_t pc)
{
    uint32_t index = allocsnap_root.node_count;
    if (!have_chunk(index / ASNAP_TABLE_CHUNK_NODES))
        return ASNAP_TABLE_NONE;
    struct asnap_table_node *node = node_at(index);
    node->pc = pc;
    node->parent = parent;
    __atomic_store_n(&allocsnap_root.node_count, index + 1, __ATOMIC_RELEASE);
    if (index >= (uint32_t)buckets)
        split_bucket();
    link_node(bucket_of(parent, pc, buckets), node, index + 1);
    return index;
}

static uint32_t __attribute__((noinline)) find_or_add(uint32_t parent, uint64_t pc)
{
    asnap_lock(&tree_lock);
    uint32_t index = find(parent, pc);
    if (index == ASNAP_TABLE_NONE)
        index = add(parent, pc);
    asnap_unlock(&tree_lock);
    return index;
}

uint32_t asnap_stacks_child(uint32_t parent, uint64_t pc)
{
    uint32_t index = find(parent, pc);
    return __builtin_expect(index != ASNAP_TABLE_NONE, 1) ? index : find_or_add(parent, pc);
}

uint32_t asnap_stacks_origin(uint64_t omitted)
{
    return asnap_stacks_child(ASNAP_TABLE_NONE, omitted);
}

uint32_t asnap_stacks_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted)
{
    uint32_t node = asnap_stacks_origin(omitted);
    for (size_t i = count; i > 0 && node != ASNAP_TABLE_NONE; i--)
        node = asnap_stacks_child(node, return_addresses[i - 1]);
    return node;
}

struct asnap_stacks_frame asnap_stacks_frame(uint32_t index)
{
    const struct asnap_table_node *node = node_at(index);
    return (struct asnap_stacks_frame){.pc = node->pc, .parent = node->parent};
}

bool asnap_stacks_init(void)
{
    if (buckets != 0)
        return true;
    void *segment = asnap_pages_map(SEGMENT_BYTES);
    if (segment == NULL)
        return false;
    segments[0] = (uint64_t)(uintptr_t)segment;
    allocsnap_root.node_chunks = (uint64_t)(uintptr_t)chunks;
    __atomic_store_n(&buckets, (uint64_t)(SEGMENT_BUCKETS - 1) << 32 | SEGMENT_BUCKETS,
                     __ATOMIC_RELEASE);
    return true;
}

/* Nodes are there before they are counted, and their lists follow from them. */
void asnap_stacks_mend(const uint32_t *only)
{
    if (!asnap_lock_is_orphan(&tree_lock, only))
        return;
    for (uint32_t i = 0; i < (uint32_t)buckets; i++)
        *bucket_at(i) = 0;
    for (uint32_t i = 0; i < allocsnap_root.node_count; i++) {
        struct asnap_table_node *node = node_at(i);
        link_node(bucket_of(node->parent, node->pc, buckets), node, i + 1);
    }
    __atomic_store_n(&tree_lock, 0, __ATOMIC_RELEASE);
}
