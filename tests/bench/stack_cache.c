/* Makes the reference as cheap as it can be: a stack that its thread has met before is
 * found by one look at all of its return addresses, without the tree of stacks. */
#include <string.h>

#include "allocsnap_table.h"
#include "reference.h"
#include "stacks.h"

/* Enough for what the churn program has, and small enough to stay in the cache. */
enum { STACKS = 256, FRAMES = 64 };

struct known {
    size_t count;
    uint32_t omitted;
    uint32_t node;
    uint64_t return_addresses[FRAMES];
};

static __thread struct known known[STACKS];

static size_t place_of(const uint64_t *return_addresses, size_t count)
{
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++)
        sum = (sum << 7 | sum >> 57) + return_addresses[i];
    return (size_t)(sum * UINT64_C(0x9e3779b97f4a7c15) >> 56) % STACKS;
}

uint32_t reference_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted)
{
    if (count > FRAMES)
        return asnap_stacks_intern(return_addresses, count, omitted);
    struct known *stack = &known[place_of(return_addresses, count)];
    size_t bytes = count * sizeof(*return_addresses);
    if (stack->count == count && stack->omitted == omitted &&
        memcmp(stack->return_addresses, return_addresses, bytes) == 0)
        return stack->node;
    uint32_t node = asnap_stacks_intern(return_addresses, count, omitted);
    if (node != ASNAP_TABLE_NONE) {
        stack->count = count;
        stack->omitted = omitted;
        stack->node = node;
        memcpy(stack->return_addresses, return_addresses, bytes);
    }
    return node;
}
