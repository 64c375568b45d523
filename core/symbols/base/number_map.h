/* A hash map from numbers to pointers. */
#ifndef ASNAP_SYMBOLS_NUMBER_MAP_H
#define ASNAP_SYMBOLS_NUMBER_MAP_H

#include "allocsnap.h"

struct asnap_number_entry {
    uint64_t key;
    const void *value; /* NULL: the place is free */
};

/* All zero is an empty map. */
struct asnap_number_map {
    struct asnap_number_entry *entries;
    size_t count;
    size_t capacity; /* 0 or a power of two */
};

/* The value of `key`, or NULL. */
const void *asnap_number_map_get(const struct asnap_number_map *map, uint64_t key);

/* Sets the value of `key`; `value` is not NULL. */
struct asnap_error *asnap_number_map_put(struct asnap_number_map *map, uint64_t key,
                                         const void *value);

void asnap_number_map_deinit(struct asnap_number_map *map);

#endif
