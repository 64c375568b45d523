#include "stack_reach.h"

#include "readable.h"

/* A frame may be that large without the stack being taken for another one. */
static const uint64_t gap_max = UINT64_C(16) << 20;

static bool probe_all(uint64_t low, uint64_t high)
{
    for (uint64_t page = low; page < high; page += ASNAP_PAGE)
        if (!asnap_readable_page(page))
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
    uint64_t page = address & ~(uint64_t)(ASNAP_PAGE - 1);
    if (current->high != 0 && page >= current->high && page - current->high < gap_max &&
        probe_all(current->high, page + ASNAP_PAGE)) {
        current->high = page + ASNAP_PAGE;
        return true;
    }
    if (current->high != 0 && page < current->low && current->low - page < gap_max &&
        probe_all(page, current->low)) {
        current->low = page;
        return true;
    }
    if (!asnap_readable_page(page))
        return false;
    if (current->high != 0) {
        reach->others[reach->next_other] = *current;
        reach->next_other = (reach->next_other + 1) % ASNAP_REACH_OTHERS;
    }
    current->low = page;
    current->high = page + ASNAP_PAGE;
    return true;
}
