#include "dwarf_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounded_demangle.h"
#include "dwarf_calls.h"
#include "error.h"
#include "problem.h"

/* Pointers to pointers, types of types: more in a row make no sense, and damaged ones may go in a
 * circle. */
#define STEPS_MAX 16

/* Deeper nesting than any compiler makes. */
#define DEPTH_MAX 64

/* A type whose name is wanted. */
struct wanted {
    uint64_t offset;
    uint64_t named; /* of the entry whose name it has; 0: it has none */
    unsigned pointers;
};

struct walk {
    struct asnap_type_names *names;
    const struct wanted *wanted; /* by `named` */
    size_t count;
    size_t next; /* of them */
    unsigned depth;
    char name[ASNAP_NAME_BYTES_MAX]; /* of what is around */
};

/* ---- from a type to the entry that has its name ---- */

/* Takes one step; `alias` is the last typedef on the way. false: the way is at its end. */
static bool step(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, struct wanted *wanted,
                 uint64_t *alias, uint64_t *offset)
{
    struct asnap_entry_name name;
    switch (entry->kind) {
    case ASNAP_ENTRY_POINTER:
        wanted->pointers++;
        *alias = 0;
        break;
    case ASNAP_ENTRY_ALIAS:
        *alias = entry->offset;
        break;
    case ASNAP_ENTRY_MODIFIED:
        break;
    case ASNAP_ENTRY_CLASS:
    case ASNAP_ENTRY_TYPE:
        asnap_entry_name(dwarf, entry, &name);
        wanted->named = name.name != NULL ? entry->offset : *alias;
        return false;
    default:
        return false;
    }
    return asnap_entry_type(dwarf, entry, offset);
}

static struct asnap_error *resolve(struct asnap_dwarf *dwarf, struct wanted *wanted)
{
    uint64_t offset = wanted->offset;
    uint64_t alias = 0;
    bool goes_on = true;
    for (int i = 0; goes_on && i < STEPS_MAX && (offset & ASNAP_ENTRY_SUPPLEMENT) == 0; i++) {
        struct asnap_entry entry;
        struct asnap_error *error = asnap_entry_at(dwarf, offset, &entry);
        if (error != NULL || entry.handle == NULL)
            return error;
        goes_on = step(dwarf, &entry, wanted, &alias, &offset);
        asnap_entry_release(dwarf, &entry);
    }
    return NULL;
}

/* ---- down to the entries that have names ---- */

static const struct wanted *next_wanted(const struct walk *walk)
{
    return walk->next < walk->count ? &walk->wanted[walk->next] : NULL;
}

/* Gives the types of the entry at `offset` its name. */
static struct asnap_error *give(struct walk *walk, uint64_t offset, size_t length)
{
    struct asnap_error *error = NULL;
    const struct wanted *wanted;
    for (; error == NULL && (wanted = next_wanted(walk)) != NULL && wanted->named == offset;
         walk->next++) {
        const char *kept;
        if (wanted->pointers >= sizeof(walk->name) - length)
            continue;
        memset(walk->name + length, '*', wanted->pointers);
        walk->name[length + wanted->pointers] = '\0';
        error = asnap_frame_store_string(walk->names->store, walk->name, &kept);
        if (error == NULL)
            error = asnap_number_map_put(&walk->names->found, wanted->offset, kept);
    }
    return error;
}

/* Adds what an entry is called to the name that is around it, of *length bytes; functions are
 * left out. false: it has no name, or one that is too long. */
static bool add_name(struct walk *walk, const struct asnap_entry *entry, size_t *length)
{
    struct asnap_entry_name name;
    if (entry->kind == ASNAP_ENTRY_FUNCTION || entry->kind == ASNAP_ENTRY_BLOCK)
        return true;
    asnap_entry_name(walk->names->dwarf, entry, &name);
    if (name.name == NULL && entry->kind == ASNAP_ENTRY_NAMESPACE)
        name.name = "(anonymous namespace)";
    if (name.name == NULL)
        return false;
    size_t room = sizeof(walk->name) - *length;
    int added = snprintf(walk->name + *length, room, "%s%s", *length == 0 ? "" : "::", name.name);
    if (added < 0 || (size_t)added >= room)
        return false;
    *length += (size_t)added;
    return true;
}

static struct asnap_error *walk_children(struct walk *walk, const struct asnap_entry *parent,
                                         size_t length, uint64_t end);

/* Looks for what is wanted in an entry; the next one beside it is at `end`. */
static struct asnap_error *visit(struct walk *walk, const struct asnap_entry *entry, size_t length,
                                 uint64_t end)
{
    const struct wanted *wanted = next_wanted(walk);
    if (wanted == NULL || wanted->named >= end)
        return NULL;
    size_t inner = length;
    struct asnap_error *error = NULL;
    if (add_name(walk, entry, &inner)) {
        error = give(walk, entry->offset, inner);
        wanted = next_wanted(walk);
        if (error == NULL && wanted != NULL && wanted->named > entry->offset && wanted->named < end)
            error = walk_children(walk, entry, inner, end);
    }
    /* What was not met is no entry, or has no name. */
    while (error == NULL && (wanted = next_wanted(walk)) != NULL && wanted->named < end)
        walk->next++;
    walk->name[length] = '\0';
    return error;
}

static struct asnap_error *walk_children(struct walk *walk, const struct asnap_entry *parent,
                                         size_t length, uint64_t end)
{
    struct asnap_dwarf *dwarf = walk->names->dwarf;
    if (walk->depth >= DEPTH_MAX)
        return NULL;
    walk->depth++;
    struct asnap_entry entry;
    struct asnap_error *error = asnap_entry_child(dwarf, parent, &entry);
    while (error == NULL && entry.handle != NULL) {
        struct asnap_entry next = {0};
        error = asnap_entry_sibling(dwarf, &entry, &next);
        if (error == NULL)
            error = visit(walk, &entry, length, next.handle == NULL ? end : next.offset);
        asnap_entry_release(dwarf, &entry);
        const struct wanted *wanted = next_wanted(walk);
        if (error != NULL || wanted == NULL || wanted->named >= end)
            asnap_entry_release(dwarf, &next);
        entry = next;
    }
    walk->depth--;
    return error;
}

/* ---- all together ---- */

static struct asnap_error *walk_units(struct walk *walk, const uint64_t *units, size_t unit_count)
{
    struct asnap_dwarf *dwarf = walk->names->dwarf;
    struct asnap_error *error = NULL;
    while (walk->next < walk->count && walk->wanted[walk->next].named == 0)
        walk->next++;
    for (size_t i = 0; error == NULL && i < unit_count; i++) {
        uint64_t end = i + 1 < unit_count ? units[i + 1] : UINT64_MAX;
        const struct wanted *wanted = next_wanted(walk);
        if (wanted == NULL || wanted->named >= end)
            continue;
        struct asnap_entry unit;
        error = asnap_entry_at(dwarf, units[i], &unit);
        if (error != NULL || unit.handle == NULL)
            break;
        error = walk_children(walk, &unit, 0, end);
        asnap_entry_release(dwarf, &unit);
        while ((wanted = next_wanted(walk)) != NULL && wanted->named < end)
            walk->next++;
    }
    return error;
}

static int compare_named(const void *left, const void *right)
{
    const struct wanted *a = left;
    const struct wanted *b = right;
    return (a->named > b->named) - (a->named < b->named);
}

static int compare_offsets(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static struct asnap_error *read_names(struct asnap_type_names *names, struct wanted *wanted,
                                      size_t count, const uint64_t *units, size_t unit_count)
{
    struct asnap_error *problem = NULL;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        /* Where nothing is found this stays. */
        error = asnap_number_map_put(&names->found, wanted[i].offset, "");
        if (error == NULL)
            error = asnap_problem_keep(resolve(names->dwarf, &wanted[i]), &problem);
    }
    struct walk *walk = calloc(1, sizeof(*walk));
    if (error == NULL && walk == NULL)
        error = asnap_error_no_memory();
    if (error == NULL) {
        qsort(wanted, count, sizeof(*wanted), compare_named);
        walk->names = names;
        walk->wanted = wanted;
        walk->count = count;
        error = asnap_problem_keep(walk_units(walk, units, unit_count), &problem);
    }
    free(walk);
    asnap_error_destroy(problem);
    return error;
}

struct asnap_error *asnap_type_names_read(struct asnap_type_names *names, const uint64_t *units,
                                          size_t unit_count, uint64_t *offsets, size_t count)
{
    if (count == 0)
        return NULL;
    struct wanted *wanted = calloc(count, sizeof(*wanted));
    if (wanted == NULL)
        return asnap_error_no_memory();
    size_t used = 0;
    qsort(offsets, count, sizeof(*offsets), compare_offsets);
    for (size_t i = 0; i < count; i++) {
        bool is_known = asnap_number_map_get(&names->found, offsets[i]) != NULL;
        if (!is_known && (i == 0 || offsets[i] != offsets[i - 1]))
            wanted[used++].offset = offsets[i];
    }
    struct asnap_error *error =
        used == 0 ? NULL : read_names(names, wanted, used, units, unit_count);
    free(wanted);
    return error;
}

const char *asnap_type_name(const struct asnap_type_names *names, uint64_t offset)
{
    const char *name = asnap_number_map_get(&names->found, offset);
    return name == NULL || name[0] == '\0' ? NULL : name;
}

void asnap_type_names_deinit(struct asnap_type_names *names)
{
    asnap_number_map_deinit(&names->found);
}
