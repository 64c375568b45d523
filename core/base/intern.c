#include "intern.h"

#include <stdlib.h>
#include <string.h>

uint32_t asnap_intern_find(const struct asnap_intern *table, uint32_t hash,
                           bool (*same)(const void *context, uint32_t id), const void *context)
{
    if (table->capacity == 0)
        return ASNAP_NONE;
    size_t mask = table->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct asnap_intern_slot slot = table->slots[i];
        if (slot.id == ASNAP_NONE)
            return ASNAP_NONE;
        if (slot.hash == hash && same(context, slot.id))
            return slot.id;
    }
}

static void place(struct asnap_intern *table, struct asnap_intern_slot slot)
{
    size_t mask = table->capacity - 1;
    size_t i = slot.hash & mask;
    while (table->slots[i].id != ASNAP_NONE)
        i = (i + 1) & mask;
    table->slots[i] = slot;
}

struct asnap_error *asnap_intern_reserve(struct asnap_intern *table)
{
    if ((table->count + 1) * 3 <= table->capacity * 2)
        return NULL;
    size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
    struct asnap_intern grown = {
        .slots = reallocarray(NULL, capacity, sizeof(*grown.slots)),
        .capacity = capacity,
        .count = table->count,
    };
    if (grown.slots == NULL)
        return asnap_error_no_memory();
    memset(grown.slots, 0xff, capacity * sizeof(*grown.slots));
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].id != ASNAP_NONE)
            place(&grown, table->slots[i]);
    }
    free(table->slots);
    *table = grown;
    return NULL;
}

void asnap_intern_add(struct asnap_intern *table, uint32_t hash, uint32_t id)
{
    place(table, (struct asnap_intern_slot){.hash = hash, .id = id});
    table->count++;
}

void asnap_intern_deinit(struct asnap_intern *table)
{
    free(table->slots);
    *table = (struct asnap_intern){0};
}

uint32_t *asnap_intern_none(size_t count)
{
    uint32_t *numbers = reallocarray(NULL, count + 1, sizeof(*numbers));
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = ASNAP_NONE;
    return numbers;
}

uint32_t asnap_hash_bytes(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = size;
    uint64_t word;
    for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = asnap_hash_mix(hash, word);
    }
    word = 0;
    memcpy(&word, at, size);
    return asnap_hash_end(asnap_hash_mix(hash, word));
}
