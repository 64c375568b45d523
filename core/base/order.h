/* Sorting by many numbers: linear in the items, for up to millions of rows. */
#ifndef ASNAP_MODEL_ORDER_H
#define ASNAP_MODEL_ORDER_H

#include "error.h"

/* What to sort by: key(item, 0) first, key(item, 1) among equals, and so on. */
struct asnap_order_keys {
    uint64_t (*key)(const void *context, uint32_t item, uint32_t level);
    const void *context;
    uint32_t levels;
};

/* The items 0 to count - 1 in descending order; free() it. */
struct asnap_error *asnap_order_create(const struct asnap_order_keys *keys, uint32_t count,
                                       uint32_t **order);

#endif
