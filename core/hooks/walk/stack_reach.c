#include "stack_reach.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* A frame may be that large without the stack being taken for another one. */
static const uint64_t gap_max = UINT64_C(16) << 20;

/* The kernel copies the set before it looks at what is to be done with it, and there is
 * nothing to be done by that number: EINVAL where it can be read, EFAULT where not. */
bool asnap_reach_probe(uint64_t address)
{
    if (address < PAGE) /* a null pointer is no set, and could be read */
        return false;
    int saved_errno = errno;
    errno = 0;
    syscall(SYS_rt_sigprocmask, -1, address & ~(uint64_t)7, NULL, sizeof(uint64_t));
    bool readable = errno != EFAULT;
    errno = saved_errno;
    return readable;
}

static bool probe_all(uint64_t low, uint64_t high)
{
    for (uint64_t page = low; page < high; page += PAGE)
        if (!asnap_reach_probe(page))
            return false;
    return true;
}

void asnap_reach_begin(struct asnap_reach *reach, uint64_t address)
{
    if (asnap_reach_knows(reach, address))
        return;
    for (int i = 0; i < ASNAP_REACH_OTHERS; i++) {
        struct asnap_reach_range *other = &reach->others[i];
        if (address - other->low < other->high - other->low) {
            struct asnap_reach_range current = reach->current;
            reach->current = *other;
            *other = current;
            return;
        }
    }
}

bool asnap_reach_extend(struct asnap_reach *reach, uint64_t address)
{
    struct asnap_reach_range *current = &reach->current;
    uint64_t page = address & ~(uint64_t)(PAGE - 1);
    if (current->high != 0 && page >= current->high && page - current->high < gap_max &&
        probe_all(current->high, page + PAGE)) {
        current->high = page + PAGE;
        return true;
    }
    if (current->high != 0 && page < current->low && current->low - page < gap_max &&
        probe_all(page, current->low)) {
        current->low = page;
        return true;
    }
    if (!asnap_reach_probe(page))
        return false;
    if (current->high != 0) {
        reach->others[reach->next_other] = *current;
        reach->next_other = (reach->next_other + 1) % ASNAP_REACH_OTHERS;
    }
    current->low = page;
    current->high = page + PAGE;
    return true;
}
