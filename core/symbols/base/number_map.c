#include "number_map.h"

#include <stdlib.h>

#include "error.h"

/* The place of `key`, or the free place where it belongs. */
static size_t place_of(const struct asnap_number_entry *entries, size_t capacity, uint64_t key)
{
    uint64_t mixed = (key ^ (key >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    size_t place = (size_t)(mixed >> 32) & (capacity - 1);
    while (entries[place].value != NULL && entries[place].key != key)
        place = (place + 1) & (capacity - 1);
    return place;
}

const void *asnap_number_map_get(const struct asnap_number_map *map, uint64_t key)
{
    if (map->count == 0)
        return NULL;
    return map->entries[place_of(map->entries, map->capacity, key)].value;
}

static struct asnap_error *grow(struct asnap_number_map *map)
{
    size_t capacity = map->capacity == 0 ? 64 : map->capacity * 2;
    struct asnap_number_entry *entries = calloc(capacity, sizeof(*entries));
    if (entries == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].value != NULL)
            entries[place_of(entries, capacity, map->entries[i].key)] = map->entries[i];
    }
    free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    return NULL;
}

struct asnap_error *asnap_number_map_put(struct asnap_number_map *map, uint64_t key,
                                         const void *value)
{
    if (map->count >= map->capacity / 2) {
        struct asnap_error *error = grow(map);
        if (error != NULL)
            return error;
    }
    struct asnap_number_entry *entry = &map->entries[place_of(map->entries, map->capacity, key)];
    if (entry->value == NULL)
        map->count++;
    *entry = (struct asnap_number_entry){.key = key, .value = value};
    return NULL;
}

void asnap_number_map_deinit(struct asnap_number_map *map)
{
    free(map->entries);
    *map = (struct asnap_number_map){0};
}
