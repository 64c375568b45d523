#include "address_index.h"

#include <stdlib.h>

#include "order.h"

struct asnap_address_index {
    const struct asnap_trace *traces;
    uint32_t count;
    uint32_t *order; /* of the blocks, highest address first; of equals as given */
    uint64_t *reach; /* the last address that this block or one after it in `order` holds */
};

static uint64_t address_key(const void *context, uint32_t item, uint32_t level)
{
    (void)level;
    const struct asnap_address_index *index = context;
    return index->traces[item].address;
}

static uint64_t last_address(const struct asnap_trace *trace)
{
    uint64_t more = trace->size == 0 ? 0 : trace->size - 1;
    return more > UINT64_MAX - trace->address ? UINT64_MAX : trace->address + more;
}

static void fill_reach(struct asnap_address_index *index)
{
    uint64_t reach = 0;
    for (uint32_t i = index->count; i-- > 0;) {
        uint64_t last = last_address(&index->traces[index->order[i]]);
        if (last > reach)
            reach = last;
        index->reach[i] = reach;
    }
}

struct asnap_error *asnap_address_index_create(const struct asnap_trace *traces, uint32_t count,
                                               struct asnap_address_index **index)
{
    struct asnap_address_index *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->traces = traces;
    made->count = count;
    made->reach = reallocarray(NULL, (size_t)count + 1, sizeof(*made->reach));
    struct asnap_order_keys keys = {address_key, made, 1};
    struct asnap_error *error = made->reach == NULL
                                    ? asnap_error_no_memory()
                                    : asnap_order_create(&keys, count, &made->order);
    if (error != NULL) {
        asnap_address_index_destroy(made);
        return error;
    }
    fill_reach(made);
    *index = made;
    return NULL;
}

void asnap_address_index_destroy(struct asnap_address_index *index)
{
    if (index == NULL)
        return;
    free(index->order);
    free(index->reach);
    free(index);
}

/* The place in the order of the first block that starts at `address` or below. */
static uint32_t first_below(const struct asnap_address_index *index, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->traces[index->order[middle]].address <= address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct asnap_trace *asnap_address_index_find(const struct asnap_address_index *index,
                                                   uint64_t address)
{
    const struct asnap_trace *found = NULL;
    for (uint32_t i = first_below(index, address); i < index->count && index->reach[i] >= address;
         i++) {
        const struct asnap_trace *trace = &index->traces[index->order[i]];
        if (last_address(trace) >= address && (found == NULL || trace->size < found->size))
            found = trace;
    }
    return found;
}
