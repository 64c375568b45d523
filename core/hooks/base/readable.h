/* Whether memory that is not the hooks' can be read. The program may unmap or protect what is its
 * own at any time, so the kernel is asked before each use; what it says holds for the moment. */
#ifndef ASNAP_HOOKS_READABLE_H
#define ASNAP_HOOKS_READABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel may have larger ones, of which each such part is alike. */
enum { ASNAP_PAGE = 4096 };

/* Whether the page of `address` can be read now. */
bool asnap_readable_page(uint64_t address);

/* Pages that were readable a moment ago: within one look at what lies together each is asked
 * about once. Zero it to begin with, and keep it for that look only. */
enum { ASNAP_KNOWN_PAGES = 64 };
struct asnap_known_pages {
    uint64_t pages[ASNAP_KNOWN_PAGES];
    bool moving; /* another thread may unmap what is looked at: the kernel copies it */
};

/* Whether all of [address, address + bytes) can be read. */
bool asnap_readable(struct asnap_known_pages *known, uint64_t address, uint64_t bytes);

/* How many bytes from `address` on can be read, at most so many. */
uint64_t asnap_readable_bytes(uint64_t address, uint64_t most);

/* Copies from there; false: it cannot be read. */
bool asnap_readable_copy(struct asnap_known_pages *known, uint64_t address, void *copy,
                         size_t bytes);

#endif
