#include "stacks.h"

#include "lock.h"
#include "pages.h"
#include "root.h"

/* Heads of the lists of nodes. A larger one replaces it as the tree grows; the old
 * one stays mapped, since another thread may still be looking through it. */
struct buckets {
    uint32_t mask;
    uint32_t heads[];
};

enum { FIRST_BUCKETS = 4096 };

static struct buckets *current;
static uint32_t tree_lock;

static struct asnap_table_node *node_at(uint32_t index)
{
    const uint64_t *chunks = (const uint64_t *)(uintptr_t)allocsnap_root.node_chunks;
    uint64_t chunk = __atomic_load_n(&chunks[index / ASNAP_TABLE_CHUNK_NODES], __ATOMIC_RELAXED);
    return (struct asnap_table_node *)(uintptr_t)chunk + index % ASNAP_TABLE_CHUNK_NODES;
}

static uint32_t hash(uint32_t parent, uint64_t pc)
{
    uint64_t mixed = (pc ^ ((uint64_t)parent << 32 | parent)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32);
}

static struct buckets *map_buckets(uint32_t count)
{
    struct buckets *buckets = asnap_pages_map(sizeof(*buckets) + count * sizeof(uint32_t));
    if (buckets == NULL)
        return NULL;
    buckets->mask = count - 1;
    for (uint32_t i = 0; i < count; i++)
        buckets->heads[i] = ASNAP_TABLE_NONE;
    return buckets;
}

/* Safe without the lock: nodes never change but for `next`, and a list that is
 * being rebuilt leads to the end all the same. A node that is there may be missed
 * then; one that is found is right. */
static uint32_t find(uint32_t parent, uint64_t pc)
{
    struct buckets *buckets = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    uint32_t *head = &buckets->heads[hash(parent, pc) & buckets->mask];
    uint32_t index = __atomic_load_n(head, __ATOMIC_ACQUIRE);
    while (index != ASNAP_TABLE_NONE) {
        struct asnap_table_node *node = node_at(index);
        if (node->pc == pc && node->parent == parent)
            return index;
        index = __atomic_load_n(&node->next, __ATOMIC_ACQUIRE);
    }
    return ASNAP_TABLE_NONE;
}

static void link_node(struct buckets *buckets, uint32_t index)
{
    struct asnap_table_node *node = node_at(index);
    uint32_t *head = &buckets->heads[hash(node->parent, node->pc) & buckets->mask];
    __atomic_store_n(&node->next, *head, __ATOMIC_RELEASE);
    __atomic_store_n(head, index, __ATOMIC_RELEASE);
}

/* Without memory the lists just stay long. */
static void grow_buckets(void)
{
    struct buckets *larger = map_buckets((current->mask + 1) * 4);
    if (larger == NULL)
        return;
    for (uint32_t index = 0; index < allocsnap_root.node_count; index++)
        link_node(larger, index);
    __atomic_store_n(&current, larger, __ATOMIC_RELEASE);
}

static uint32_t add(uint32_t parent, uint64_t pc)
{
    uint32_t index = allocsnap_root.node_count;
    uint32_t chunk = index / ASNAP_TABLE_CHUNK_NODES;
    if (chunk >= ASNAP_TABLE_NODE_CHUNKS)
        return ASNAP_TABLE_NONE;
    uint64_t *chunks = (uint64_t *)(uintptr_t)allocsnap_root.node_chunks;
    if (chunks[chunk] == 0) {
        void *pages = asnap_pages_map(ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_node));
        if (pages == NULL)
            return ASNAP_TABLE_NONE;
        __atomic_store_n(&chunks[chunk], (uint64_t)(uintptr_t)pages, __ATOMIC_RELEASE);
    }
    struct asnap_table_node *node = node_at(index);
    node->pc = pc;
    node->parent = parent;
    if (index > current->mask && current->mask < UINT32_MAX / 8)
        grow_buckets();
    __atomic_store_n(&allocsnap_root.node_count, index + 1, __ATOMIC_RELEASE);
    link_node(current, index);
    return index;
}

static uint32_t find_or_add(uint32_t parent, uint64_t pc)
{
    uint32_t index = find(parent, pc);
    if (index != ASNAP_TABLE_NONE)
        return index;
    asnap_lock(&tree_lock);
    index = find(parent, pc);
    if (index == ASNAP_TABLE_NONE)
        index = add(parent, pc);
    asnap_unlock(&tree_lock);
    return index;
}

bool asnap_stacks_init(void)
{
    if (current != NULL)
        return true;
    size_t chunk_bytes = ASNAP_TABLE_NODE_CHUNKS * sizeof(uint64_t);
    void *chunks = asnap_pages_map(chunk_bytes);
    struct buckets *buckets = map_buckets(FIRST_BUCKETS);
    if (chunks == NULL || buckets == NULL) {
        asnap_pages_unmap(chunks, chunk_bytes);
        asnap_pages_unmap(buckets, sizeof(*buckets) + FIRST_BUCKETS * sizeof(uint32_t));
        return false;
    }
    allocsnap_root.node_chunks = (uint64_t)(uintptr_t)chunks;
    current = buckets;
    return true;
}

uint32_t asnap_stacks_origin(uint32_t omitted)
{
    return find_or_add(ASNAP_TABLE_NONE, omitted);
}

uint32_t asnap_stacks_child(uint32_t parent, uint64_t pc)
{
    return find_or_add(parent, pc);
}

uint32_t asnap_stacks_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted)
{
    uint32_t node = find_or_add(ASNAP_TABLE_NONE, omitted);
    for (size_t i = count; i > 0 && node != ASNAP_TABLE_NONE; i--)
        node = find_or_add(node, return_addresses[i - 1]);
    return node;
}

void asnap_stacks_lock(void)
{
    asnap_lock(&tree_lock);
}

void asnap_stacks_unlock(void)
{
    asnap_unlock(&tree_lock);
}
