/* Stands in for the hooks' walk where their cost is measured against the least there is: it
 * follows the frame pointers, from its own on, and must only be used with code that keeps
 * them. The hooks' objects around it are built with frame pointers for that. */
#include "stack_walk.h"

#include "allocsnap_table.h"

/* Larger steps from frame to frame are none: the register held something else. */
enum { FRAME_BYTES_MAX = 1 << 20 };

struct frame {
    const struct frame *outer;
    uint64_t return_address;
};

void asnap_stack_walk_init(void)
{
}

/* Whether `outer` can be the frame around `frame`: further out, aligned, and near. */
static int is_outer(const struct frame *outer, const struct frame *frame)
{
    uintptr_t bytes = (uintptr_t)outer - (uintptr_t)frame;
    return bytes - 1 < FRAME_BYTES_MAX && bytes % sizeof(void *) == 0;
}

size_t asnap_stack_walk(const void *caller, uint64_t *return_addresses, size_t limit,
                        uint32_t *total)
{
    const struct frame *frame = __builtin_frame_address(0);
    while (frame->return_address != (uint64_t)(uintptr_t)caller && is_outer(frame->outer, frame))
        frame = frame->outer;
    size_t stored = 0;
    uint32_t count = 0;
    for (;;) {
        if (stored < limit)
            return_addresses[stored++] = frame->return_address;
        count++;
        if (count == ASNAP_TABLE_FRAME_LIMIT_MAX || !is_outer(frame->outer, frame))
            break;
        frame = frame->outer;
    }
    *total = count;
    return stored;
}
