/* Memory for the hooks, from the kernel and never from the traced allocator. */
#ifndef ASNAP_HOOKS_PAGES_H
#define ASNAP_HOOKS_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* The most that tracker_bytes may become; it is never more, at no moment. */
void asnap_pages_set_limit(uint64_t bytes);

/* `bytes` of zeroed memory that core dumps include, or NULL. They count in the root's
 * tracker_bytes, and are in its list of the hooks' own memory. */
void *asnap_pages_map(size_t bytes);

/* The same where all of it will be written soon: the kernel is asked for it once, and not page by
 * page. */
void *asnap_pages_map_at_once(size_t bytes);

/* The same for what only saves time: NULL as well where it is more than a sixteenth of what may
 * still be mapped, so that records do not lack it. */
void *asnap_pages_map_to_spare(size_t bytes);

/* Gives back what these gave; NULL is accepted. */
void asnap_pages_unmap(void *pages, size_t bytes);

/* Puts the writable parts of this library on that list. */
void asnap_pages_list_library(void);

#endif
