#include "readable.h"

#include <string.h>

#include "kernel.h"

/* The kernel copies the set before it looks at what is to be done with it, and there is
 * nothing to be done by that number: EINVAL where it can be read, EFAULT where not. */
bool asnap_readable_page(uint64_t address)
{
    if (address < ASNAP_PAGE) /* a null pointer is no set, and could be read */
        return false;
    const uint64_t *word = (const uint64_t *)(uintptr_t)(address & ~(uint64_t)7);
    return asnap_kernel_signal_mask(-1, word) != -EFAULT;
}

bool asnap_readable(struct asnap_known_pages *known, uint64_t address, uint64_t bytes)
{
    uint64_t last = address + bytes - 1;
    if (bytes == 0)
        return true;
    if (last < address)
        return false;
    for (uint64_t page = address & ~(uint64_t)(ASNAP_PAGE - 1);; page += ASNAP_PAGE) {
        uint64_t *place = &known->pages[page / ASNAP_PAGE % ASNAP_KNOWN_PAGES];
        if (*place != page || page == 0) {
            if (!asnap_readable_page(page))
                return false;
            *place = page;
        }
        if (last - page < ASNAP_PAGE)
            return true;
    }
}

uint64_t asnap_readable_bytes(uint64_t address, uint64_t most)
{
    uint64_t known = 0;
    while (known < most && asnap_readable_page(address + known))
        known += ASNAP_PAGE - (address + known) % ASNAP_PAGE;
    return known < most ? known : most;
}

bool asnap_readable_copy(struct asnap_known_pages *known, uint64_t address, void *copy,
                         size_t bytes)
{
    if (known->moving) {
        long got = asnap_kernel_copy(copy, address, bytes);
        /* Sandboxes forbid it, some emulators lack it: then a page is asked about first. */
        if (got != -ENOSYS && got != -EPERM)
            return got == (long)bytes;
    }
    if (!asnap_readable(known, address, bytes))
        return false;
    memcpy(copy, (const void *)(uintptr_t)address, bytes);
    return true;
}
