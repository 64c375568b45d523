#include <stdlib.h>

#include "v8.h"

/* Half of an id: ids are even, from 2 to UINT32_MAX - 1. */
#define HALF_MAX ((uint64_t)INT32_MAX)

/* Bits that a pass of the sort looks at. */
enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3 };

/* What a block keeps while it lives, and another at its address has not. */
static uint64_t hash_of(const struct asnap_trace *trace)
{
    uint64_t hash = asnap_hash_mix(0, trace->address);
    hash = asnap_hash_mix(hash, trace->size);
    hash = asnap_hash_mix(hash, (uint64_t)trace->time << 32 | trace->domain);
    return asnap_hash_mix(hash, 0) % HALF_MAX + 1;
}

/* Sorts by the upper 32 bits, of which one is not used. */
static void sort(uint64_t *items, uint64_t *other, uint32_t count)
{
    for (int pass = 0; pass < PASSES; pass++) {
        uint32_t places[DIGITS + 1] = {0};
        int shift = 32 + pass * DIGIT_BITS;
        for (uint32_t i = 0; i < count; i++)
            places[(items[i] >> shift) % DIGITS + 1]++;
        for (uint32_t digit = 1; digit <= DIGITS; digit++)
            places[digit] += places[digit - 1];
        for (uint32_t i = 0; i < count; i++)
            other[places[(items[i] >> shift) % DIGITS]++] = items[i];
        uint64_t *swapped = items;
        items = other;
        other = swapped;
    }
}

/* Gives equal ones the next numbers that are free: upwards, and at the end downwards. */
static void part(uint64_t *halves, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (halves[i] <= halves[i - 1])
            halves[i] = halves[i - 1] + 1;
    }
    uint64_t most = HALF_MAX;
    for (uint32_t i = count; i > 0 && halves[i - 1] > most; i--)
        halves[i - 1] = most--;
}

struct asnap_error *asnap_v8_block_ids(const struct asnap_graph *graph, uint32_t **ids)
{
    uint32_t count = asnap_graph_block_count(graph);
    uint64_t *items = calloc((size_t)count + 1, sizeof(*items));
    uint64_t *sorted = calloc((size_t)count + 1, sizeof(*sorted));
    uint32_t *made = calloc((size_t)count + 1, sizeof(*made));
    if (items == NULL || sorted == NULL || made == NULL) {
        free(items);
        free(sorted);
        free(made);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < count; i++) {
        struct asnap_graph_block_info info = asnap_graph_block(graph, i);
        items[i] = hash_of(&info.trace) << 32 | i;
    }
    /* Three passes leave them in the other array. */
    sort(items, sorted, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = sorted[i] >> 32;
    part(items, count);
    for (uint32_t i = 0; i < count; i++)
        made[sorted[i] & UINT32_MAX] = (uint32_t)(items[i] * 2);
    free(items);
    free(sorted);
    *ids = made;
    return NULL;
}
