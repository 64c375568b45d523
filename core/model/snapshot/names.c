#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "utf8.h"

struct name_query {
    const struct asnap_names *names;
    const char *name;
};

static bool same_name(const void *context, uint32_t id)
{
    const struct name_query *query = context;
    return strcmp(asnap_names_get(query->names, id), query->name) == 0;
}

/* Room for one more string of `size` bytes. */
static bool reserve(struct asnap_names *names, size_t size)
{
    if (names->count >= ASNAP_NONE - 1 || size > SIZE_MAX - names->text_size)
        return false;
    char *text = asnap_grow(names->text, &names->text_capacity, names->text_size + size, 1);
    if (text == NULL)
        return false;
    names->text = text;
    size_t *offsets = asnap_grow(names->offsets, &names->offset_capacity, (size_t)names->count + 1,
                                 sizeof(*offsets));
    if (offsets == NULL)
        return false;
    names->offsets = offsets;
    return asnap_intern_reserve(&names->index) == NULL;
}

struct asnap_error *asnap_names_add(struct asnap_names *names, const char *name, uint32_t *id)
{
    size_t size = strlen(name) + 1;
    uint32_t hash = asnap_hash_bytes(name, size);
    struct name_query query = {names, name};
    uint32_t found = asnap_intern_find(&names->index, hash, same_name, &query);
    if (found == ASNAP_NONE) {
        if (!reserve(names, size))
            return asnap_error_no_memory();
        found = names->count++;
        names->offsets[found] = names->text_size;
        memcpy(names->text + names->text_size, name, size);
        names->text_size += size;
        asnap_intern_add(&names->index, hash, found);
    }
    *id = found;
    return NULL;
}

void asnap_names_seal(struct asnap_names *names)
{
    asnap_intern_deinit(&names->index);
}

static int compare_names(const void *left, const void *right, void *context)
{
    const struct asnap_names *names = context;
    return asnap_utf8_compare(asnap_names_get(names, *(const uint32_t *)left),
                              asnap_names_get(names, *(const uint32_t *)right));
}

struct asnap_error *asnap_names_sort(struct asnap_names *names, uint32_t *rank)
{
    size_t count = names->count;
    uint32_t *order = calloc(count + 1, sizeof(*order));
    size_t *offsets = calloc(count + 1, sizeof(*offsets));
    if (order == NULL || offsets == NULL) {
        free(order);
        free(offsets);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < names->count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof(*order), compare_names, names);
    for (uint32_t i = 0; i < names->count; i++) {
        rank[order[i]] = i;
        offsets[i] = names->offsets[order[i]];
    }
    free(order);
    free(names->offsets);
    names->offsets = offsets;
    names->offset_capacity = count + 1;
    return NULL;
}

void asnap_names_deinit(struct asnap_names *names)
{
    free(names->text);
    free(names->offsets);
    asnap_intern_deinit(&names->index);
    *names = (struct asnap_names){0};
}
