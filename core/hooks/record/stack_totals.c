#include "stack_totals.h"

#include <stddef.h>

#include "pages.h"
#include "root.h"

#define TOTALS (&asnap_root_and_watch.totals)

enum { CHUNK_BYTES = ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_total) };

bool asnap_totals_is_on;

static uint64_t chunks[ASNAP_TABLE_NODE_CHUNKS];

void asnap_stack_totals_begin(void)
{
    __atomic_store_n(&TOTALS->chunks, (uint64_t)(uintptr_t)chunks, __ATOMIC_RELEASE);
    asnap_totals_is_on = true;
}

/* NULL: no memory. */
static struct asnap_table_total *make_chunk(uint64_t *place)
{
    uint64_t none = 0;
    void *made = asnap_pages_map(CHUNK_BYTES);
    if (made == NULL || __atomic_compare_exchange_n(place, &none, (uint64_t)(uintptr_t)made, false,
                                                    __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        return made;
    asnap_pages_unmap(made, CHUNK_BYTES);
    return (struct asnap_table_total *)(uintptr_t)none;
}

static struct asnap_table_total *total_of(uint32_t node)
{
    uint64_t *place = &chunks[node / ASNAP_TABLE_CHUNK_NODES];
    struct asnap_table_total *chunk =
        (struct asnap_table_total *)(uintptr_t)__atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (__builtin_expect(chunk == NULL, 0))
        chunk = make_chunk(place);
    return chunk == NULL ? NULL : chunk + node % ASNAP_TABLE_CHUNK_NODES;
}

static void add(uint64_t *counter, uint64_t number)
{
    __atomic_fetch_add(counter, number, __ATOMIC_RELAXED);
}

void asnap_stack_totals_add(uint32_t node, uint64_t size)
{
    struct asnap_table_total *total = node == ASNAP_TABLE_NONE ? NULL : total_of(node);
    if (total == NULL) {
        add(&TOTALS->lost, 1);
        return;
    }
    add(&total->count, 1);
    add(&total->size, size);
}

void asnap_stack_totals_add_temporary(uint32_t node, uint64_t size)
{
    struct asnap_table_total *total = total_of(node);
    if (total == NULL)
        return;
    add(&total->temporary_count, 1);
    add(&total->temporary_size, size);
}

void asnap_stack_totals_clear(void)
{
    uint32_t count = __atomic_load_n(&allocsnap_root.node_count, __ATOMIC_ACQUIRE);
    for (uint32_t node = 0; node < count; node++) {
        if (chunks[node / ASNAP_TABLE_CHUNK_NODES] == 0) {
            node |= ASNAP_TABLE_CHUNK_NODES - 1;
            continue;
        }
        struct asnap_table_total *total = total_of(node);
        if (total->count == 0)
            continue;
        __atomic_store_n(&total->temporary_count, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&total->temporary_size, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&total->size, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&total->count, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&TOTALS->lost, 0, __ATOMIC_RELAXED);
}
