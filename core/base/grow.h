/* Growing arrays. */
#ifndef ASNAP_MODEL_GROW_H
#define ASNAP_MODEL_GROW_H

#include <stddef.h>

/* Makes room for `needed` elements in all. Returns the array, which may have
 * moved, and sets `capacity`; NULL where memory is short, and nothing has
 * changed. Grows by half, so that appending one by one stays cheap. */
void *asnap_grow(void *array, size_t *capacity, size_t needed, size_t element_size);

/* Asks the system for huge pages where `bytes`, fresh from malloc or calloc and soon to be
 * filled, are many: small ones take longer to come than to be filled. Accepts NULL;
 * returns `bytes`. */
void *asnap_in_huge_pages(void *bytes, size_t size);

/* An array of `count` elements and one more, all zeros, in huge pages where it is large; NULL where
 * memory is short. It is freed by free(). */
void *asnap_large_array(size_t count, size_t element_size);

#endif
