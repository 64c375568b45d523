/* Stands in for the hooks' walk where their cost is measured against the least there is: it
 * follows the frame pointers, and must only be used with code that keeps them. The hooks'
 * objects around it are built with frame pointers for that. */
#include "allocsnap_table.h"
#include "reference.h"
#include "walker.h"

enum {
    FRAMES = 1024,
    FRAME_BYTES_MAX = 1 << 20, /* larger steps are none: the register held something else */
};

struct frame {
    const struct frame *outer;
    uint64_t return_address;
};

static __thread struct {
    uint32_t count;
    uint64_t return_addresses[FRAMES];
} stack;

/* Whether `outer` can be the frame around `frame`: further out, aligned, and near. */
static bool is_outer(const struct frame *outer, const struct frame *frame)
{
    uintptr_t bytes = (uintptr_t)outer - (uintptr_t)frame;
    return bytes - 1 < FRAME_BYTES_MAX && bytes % sizeof(void *) == 0;
}

bool asnap_walker_walk(struct asnap_walker *walker, const struct asnap_caller *caller,
                       uint32_t limit)
{
    const struct frame *frame = (const struct frame *)(uintptr_t)(caller->sp - sizeof(*frame));
    uint32_t count = 0;
    walker->limit = limit;
    for (;;) {
        if (count < FRAMES)
            stack.return_addresses[count] = frame->return_address;
        count++;
        if (count == ASNAP_TABLE_FRAME_LIMIT_MAX || !is_outer(frame->outer, frame))
            break;
        frame = frame->outer;
    }
    stack.count = count;
    return true;
}

uint32_t asnap_walker_intern(struct asnap_walker *walker)
{
    uint32_t kept = stack.count < walker->limit ? stack.count : walker->limit;
    kept = kept < FRAMES ? kept : FRAMES;
    return reference_intern(stack.return_addresses, kept, stack.count - kept);
}
