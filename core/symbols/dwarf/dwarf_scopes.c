#include "dwarf_scopes.h"

#include <stdlib.h>

#include "dwarf_calls.h"
#include "dwarf_ranges.h"
#include "error.h"

/* Deeper nesting than any compiler makes; what lies below it is left out. */
#define DEPTH_MAX 400

struct walk {
    struct asnap_dwarf *dwarf;
    struct asnap_scopes *scopes;
    const uint64_t *addresses;
    size_t count;
    uint32_t *innermost;
    uint64_t *allocated;
    struct asnap_range_index ranges; /* of the entry looked at */
    bool everywhere;                 /* also look into functions that hold no wanted address */
    unsigned depth;
};

/* The place of the first wanted address that is not below `address`. */
static size_t first_from(const struct walk *walk, uint64_t address)
{
    size_t low = 0;
    size_t high = walk->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (walk->addresses[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct asnap_error *add_scope(struct walk *walk, const struct asnap_entry *entry,
                                     uint32_t outer)
{
    struct asnap_scopes *scopes = walk->scopes;
    if (scopes->count == scopes->capacity) {
        size_t capacity = scopes->capacity == 0 ? 64 : scopes->capacity * 2;
        struct asnap_scope *grown = reallocarray(scopes->scopes, capacity, sizeof(*grown));
        if (grown == NULL || capacity >= ASNAP_SCOPE_NONE)
            return asnap_error_no_memory();
        scopes->scopes = grown;
        scopes->capacity = capacity;
    }
    struct asnap_scope *scope = &scopes->scopes[scopes->count];
    *scope = (struct asnap_scope){.entry = entry->offset, .outer = outer};
    if (entry->kind == ASNAP_ENTRY_INLINED)
        asnap_entry_call_site(walk->dwarf, entry, &scope->call_file, &scope->call_line);
    scopes->count++;
    return NULL;
}

/* Makes a scope of the entry if it holds wanted addresses that lie in `outer` and
 * in no inner scope yet. `made` is the scope, or ASNAP_SCOPE_NONE. */
static struct asnap_error *claim(struct walk *walk, const struct asnap_entry *entry, uint32_t outer,
                                 uint32_t *made)
{
    *made = ASNAP_SCOPE_NONE;
    walk->ranges.count = 0;
    struct asnap_error *error = asnap_entry_ranges(walk->dwarf, entry, 0, &walk->ranges);
    for (size_t r = 0; r < walk->ranges.count && error == NULL; r++) {
        const struct asnap_range *range = &walk->ranges.ranges[r];
        size_t first = first_from(walk, range->start);
        error = asnap_dwarf_work(walk->dwarf, first_from(walk, range->end) - first);
        for (size_t i = first; error == NULL && i < walk->count && walk->addresses[i] < range->end;
             i++) {
            if (walk->innermost[i] != outer)
                continue;
            if (*made == ASNAP_SCOPE_NONE) {
                error = add_scope(walk, entry, outer);
                if (error != NULL)
                    return error;
                *made = (uint32_t)(walk->scopes->count - 1);
            }
            walk->innermost[i] = *made;
        }
    }
    return error;
}

/* Keeps what a call allocates, where it is a wanted one. */
static void note_allocation(struct walk *walk, const struct asnap_entry *call)
{
    uint64_t return_address;
    uint64_t type;
    if (!asnap_entry_allocation(walk->dwarf, call, &return_address, &type) || return_address == 0)
        return;
    /* Wanted is an address within the call. */
    size_t place = first_from(walk, return_address - 1);
    if (place < walk->count && walk->addresses[place] == return_address - 1)
        walk->allocated[place] = type;
}

static struct asnap_error *walk_children(struct walk *walk, const struct asnap_entry *parent,
                                         uint32_t outer);

static struct asnap_error *visit(struct walk *walk, const struct asnap_entry *entry, uint32_t outer)
{
    struct asnap_error *error;
    uint32_t made;
    switch (entry->kind) {
    case ASNAP_ENTRY_FUNCTION:
        error = claim(walk, entry, ASNAP_SCOPE_NONE, &made);
        if (error == NULL && (made != ASNAP_SCOPE_NONE || walk->everywhere))
            error = walk_children(walk, entry, made);
        return error;
    case ASNAP_ENTRY_INLINED:
        if (outer == ASNAP_SCOPE_NONE)
            return NULL;
        error = claim(walk, entry, outer, &made);
        if (error == NULL && made != ASNAP_SCOPE_NONE)
            error = walk_children(walk, entry, made);
        return error;
    case ASNAP_ENTRY_BLOCK:
    case ASNAP_ENTRY_NAMESPACE:
    case ASNAP_ENTRY_CLASS:
        return walk_children(walk, entry, outer);
    case ASNAP_ENTRY_CALL:
        note_allocation(walk, entry);
        return NULL;
    default:
        return NULL;
    }
}

static struct asnap_error *walk_children(struct walk *walk, const struct asnap_entry *parent,
                                         uint32_t outer)
{
    if (walk->depth >= DEPTH_MAX)
        return NULL;
    walk->depth++;
    struct asnap_entry entry;
    struct asnap_error *error = asnap_entry_child(walk->dwarf, parent, &entry);
    while (error == NULL && entry.handle != NULL) {
        error = visit(walk, &entry, outer);
        struct asnap_entry next = {0};
        if (error == NULL)
            error = asnap_entry_sibling(walk->dwarf, &entry, &next);
        asnap_entry_release(walk->dwarf, &entry);
        entry = next;
    }
    walk->depth--;
    return error;
}

static bool all_found(const struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->innermost[i] == ASNAP_SCOPE_NONE)
            return false;
    }
    return true;
}

struct asnap_error *asnap_scopes_read(struct asnap_scopes *scopes, struct asnap_dwarf *dwarf,
                                      const struct asnap_entry *unit, const uint64_t *addresses,
                                      size_t count, uint32_t *innermost, uint64_t *allocated)
{
    struct walk walk = {
        .dwarf = dwarf,
        .scopes = scopes,
        .addresses = addresses,
        .count = count,
        .innermost = innermost,
        .allocated = allocated,
    };
    for (size_t i = 0; i < count; i++) {
        innermost[i] = ASNAP_SCOPE_NONE;
        allocated[i] = 0;
    }
    struct asnap_error *error = walk_children(&walk, unit, ASNAP_SCOPE_NONE);
    if (error == NULL && !all_found(&walk)) {
        /* GNU C functions within functions lie outside of those around them. */
        walk.everywhere = true;
        error = walk_children(&walk, unit, ASNAP_SCOPE_NONE);
    }
    asnap_range_index_deinit(&walk.ranges);
    return error;
}

void asnap_scopes_deinit(struct asnap_scopes *scopes)
{
    free(scopes->scopes);
    *scopes = (struct asnap_scopes){0};
}
