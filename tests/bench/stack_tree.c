/* Makes the reference what the hooks were without any memory of walks: each frame of each
 * stack is looked for in the tree. */
#include "reference.h"
#include "stacks.h"

uint32_t reference_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted)
{
    return asnap_stacks_intern(return_addresses, count, omitted);
}
