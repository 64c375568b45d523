/* Memory for the hooks, from the kernel and never from the traced allocator. */
#ifndef ASNAP_HOOKS_PAGES_H
#define ASNAP_HOOKS_PAGES_H

#include <stddef.h>

/* `bytes` of zeroed memory that core dumps include, or NULL; leaves errno alone.
 * Counted in the root's tracker_bytes. */
void *asnap_pages_map(size_t bytes);

/* Gives back what asnap_pages_map gave; NULL is accepted. */
void asnap_pages_unmap(void *pages, size_t bytes);

#endif
