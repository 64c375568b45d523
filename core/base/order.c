#include "order.h"

#include <stdlib.h>
#include <string.h>

/* Shorter runs are sorted by insertion. */
#define FEW 48

struct entry {
    uint64_t key; /* inverted: ascending keys are descending items */
    uint32_t item;
};

struct sorter {
    const struct asnap_order_keys *keys;
    struct entry *entries;
    struct entry *scratch; /* as many */
};

/* Loads the keys of a run; returns the bits in which they differ. */
static uint64_t load_keys(const struct sorter *sorter, size_t start, size_t count, uint32_t level)
{
    struct entry *entries = sorter->entries + start;
    uint64_t different = 0;
    for (size_t i = 0; i < count; i++) {
        entries[i].key = ~sorter->keys->key(sorter->keys->context, entries[i].item, level);
        different |= entries[i].key ^ entries[0].key;
    }
    return different;
}

static void sort_few(struct entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct entry entry = entries[i];
        size_t place = i;
        for (; place > 0 && entries[place - 1].key > entry.key; place--)
            entries[place] = entries[place - 1];
        entries[place] = entry;
    }
}

/* Radix sort, a byte of the key at a time, leaving out bytes that all share. */
static void sort_many(struct entry *entries, struct entry *scratch, size_t count,
                      uint64_t different)
{
    struct entry *from = entries;
    struct entry *to = scratch;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (((different >> shift) & 0xff) == 0)
            continue;
        size_t places[256] = {0};
        for (size_t i = 0; i < count; i++)
            places[(from[i].key >> shift) & 0xff]++;
        size_t place = 0;
        for (size_t digit = 0; digit < 256; digit++) {
            size_t length = places[digit];
            places[digit] = place;
            place += length;
        }
        for (size_t i = 0; i < count; i++)
            to[places[(from[i].key >> shift) & 0xff]++] = from[i];
        struct entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, count * sizeof(*entries));
}

/* Sorts a run whose keys before `level` are equal. */
static void sort_run(const struct sorter *sorter, size_t start, size_t count, uint32_t level)
{
    while (count > 1 && level < sorter->keys->levels) {
        uint64_t different = load_keys(sorter, start, count, level++);
        if (different == 0)
            continue;
        struct entry *entries = sorter->entries + start;
        if (count < FEW)
            sort_few(entries, count);
        else
            sort_many(entries, sorter->scratch, count, different);
        /* The largest run of equals is left to the loop, so that the recursion is
         * never deeper than the logarithm of the count. */
        size_t largest = 0;
        size_t largest_length = 0;
        for (size_t begin = 0, end = 0; begin < count; begin = end) {
            while (end < count && entries[end].key == entries[begin].key)
                end++;
            size_t run = begin;
            size_t length = end - begin;
            if (length > largest_length) {
                run = largest;
                length = largest_length;
                largest = begin;
                largest_length = end - begin;
            }
            if (length > 1)
                sort_run(sorter, start + run, length, level);
        }
        start += largest;
        count = largest_length;
    }
}

struct asnap_error *asnap_order_create(const struct asnap_order_keys *keys, uint32_t count,
                                       uint32_t **order)
{
    struct sorter sorter = {
        .keys = keys,
        .entries = reallocarray(NULL, (size_t)count + 1, sizeof(*sorter.entries)),
        .scratch = reallocarray(NULL, (size_t)count + 1, sizeof(*sorter.scratch)),
    };
    uint32_t *items = reallocarray(NULL, (size_t)count + 1, sizeof(*items));
    if (sorter.entries == NULL || sorter.scratch == NULL || items == NULL) {
        free(sorter.entries);
        free(sorter.scratch);
        free(items);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < count; i++)
        sorter.entries[i] = (struct entry){.item = i};
    sort_run(&sorter, 0, count, 0);
    for (uint32_t i = 0; i < count; i++)
        items[i] = sorter.entries[i].item;
    free(sorter.entries);
    free(sorter.scratch);
    *order = items;
    return NULL;
}
