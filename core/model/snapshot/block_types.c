#include "block_types.h"

#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "utf8.h"

static int by_name(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    return asnap_utf8_compare(*a, *b);
}

/* The names in order, each once. */
static struct asnap_error *copy_names(struct asnap_types *types, const char *const *names,
                                      uint32_t vtable_count)
{
    const char **sorted = calloc((size_t)vtable_count + 1, sizeof(*sorted));
    types->names = calloc((size_t)vtable_count + 1, sizeof(*types->names));
    struct asnap_error *error = NULL;
    uint32_t named = 0;
    if (sorted == NULL || types->names == NULL) {
        free(sorted);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < vtable_count; i++) {
        if (names[i] != NULL)
            sorted[named++] = names[i];
    }
    qsort(sorted, named, sizeof(*sorted), by_name);
    for (uint32_t i = 0; error == NULL && i < named; i++) {
        if (i > 0 && strcmp(sorted[i], sorted[i - 1]) == 0)
            continue;
        types->names[types->name_count] = strdup(sorted[i]);
        if (types->names[types->name_count] == NULL)
            error = asnap_error_no_memory();
        else
            types->name_count++;
    }
    free(sorted);
    return error;
}

/* The number of each vtable's class; ASNAP_NONE: it has no name. */
static void number_vtables(const struct asnap_types *types, const char *const *names,
                           uint32_t vtable_count, uint32_t *numbers)
{
    for (uint32_t i = 0; i < vtable_count; i++) {
        numbers[i] = ASNAP_NONE;
        if (names[i] == NULL)
            continue;
        char **found =
            bsearch(&names[i], types->names, types->name_count, sizeof(*types->names), by_name);
        if (found != NULL)
            numbers[i] = (uint32_t)(found - types->names);
    }
}

static struct asnap_error *fill(struct asnap_types *types, const uint64_t *addresses,
                                const uint32_t *vtables, size_t count, const char *const *names,
                                uint32_t vtable_count)
{
    struct asnap_error *error = copy_names(types, names, vtable_count);
    uint32_t *numbers = calloc((size_t)vtable_count + 1, sizeof(*numbers));
    types->addresses = calloc(count + 1, sizeof(*types->addresses));
    types->numbers = calloc(count + 1, sizeof(*types->numbers));
    if (error == NULL && (numbers == NULL || types->addresses == NULL || types->numbers == NULL))
        error = asnap_error_no_memory();
    if (error == NULL) {
        number_vtables(types, names, vtable_count, numbers);
        for (size_t i = 0; i < count; i++) {
            if (numbers[vtables[i]] == ASNAP_NONE)
                continue;
            types->addresses[types->count] = addresses[i];
            types->numbers[types->count++] = numbers[vtables[i]];
        }
    }
    free(numbers);
    return error;
}

struct asnap_error *asnap_types_create(const uint64_t *addresses, const uint32_t *vtables,
                                       size_t count, const char *const *names,
                                       uint32_t vtable_count, struct asnap_types **types)
{
    struct asnap_types *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = fill(made, addresses, vtables, count, names, vtable_count);
    if (error != NULL) {
        asnap_types_destroy(made);
        return error;
    }
    *types = made;
    return NULL;
}

void asnap_types_destroy(struct asnap_types *types)
{
    if (types == NULL)
        return;
    for (uint32_t i = 0; i < types->name_count; i++)
        free(types->names[i]);
    free(types->names);
    free(types->addresses);
    free(types->numbers);
    free(types);
}

size_t asnap_types_place(const struct asnap_types *types, uint64_t address)
{
    size_t low = 0;
    size_t high = types->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (types->addresses[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < types->count && types->addresses[low] == address ? low : types->count;
}

uint32_t asnap_types_of(const struct asnap_types *types, uint64_t address)
{
    size_t place = asnap_types_place(types, address);
    return place < types->count ? types->numbers[place] : ASNAP_NONE;
}
