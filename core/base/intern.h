/* The hash table behind every kind of interning: finds the number of a thing by
 * the hash of its contents. The things themselves are the caller's. */
#ifndef ASNAP_MODEL_INTERN_H
#define ASNAP_MODEL_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* No number: not found, or no function. Never the number of a thing. */
#define ASNAP_NONE UINT32_MAX

struct asnap_intern_slot {
    uint32_t hash;
    uint32_t id; /* ASNAP_NONE: free */
};

/* All zero is an empty table. */
struct asnap_intern {
    struct asnap_intern_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/* The number of the thing with this hash for which `same` is true, or ASNAP_NONE. */
uint32_t asnap_intern_find(const struct asnap_intern *table, uint32_t hash,
                           bool (*same)(const void *context, uint32_t id), const void *context);

/* Makes room for one more thing; then asnap_intern_add cannot fail. */
struct asnap_error *asnap_intern_reserve(struct asnap_intern *table);

/* Adds a thing that is not in the table, after asnap_intern_reserve. */
void asnap_intern_add(struct asnap_intern *table, uint32_t hash, uint32_t id);

void asnap_intern_deinit(struct asnap_intern *table);

/* `count` numbers that are all ASNAP_NONE, with room for one more; free() them. NULL
 * where memory is short. */
uint32_t *asnap_intern_none(size_t count);

/* ---- hashing ---- */

/* A hash with one more value in it. */
static inline uint64_t asnap_hash_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

static inline uint32_t asnap_hash_end(uint64_t hash)
{
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}

uint32_t asnap_hash_bytes(const void *bytes, size_t size);

#endif
