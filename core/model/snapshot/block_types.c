#include "block_types.h"

#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "store.h"
#include "utf8.h"

static int by_name(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    return asnap_utf8_compare(*a, *b);
}

/* The names of the vtables' classes and of what calls allocate, in order, each once. */
static struct asnap_error *copy_names(struct asnap_types *types, const struct asnap_store *store,
                                      const char *const *names, uint32_t vtable_count)
{
    uint32_t allocated = store == NULL ? 0 : store->allocated.count;
    size_t room = (size_t)vtable_count + allocated + 1;
    const char **sorted = calloc(room, sizeof(*sorted));
    types->names = calloc(room, sizeof(*types->names));
    struct asnap_error *error = NULL;
    size_t named = 0;
    if (sorted == NULL || types->names == NULL) {
        free(sorted);
        return asnap_error_no_memory();
    }
    for (uint32_t i = 0; i < vtable_count; i++) {
        if (names[i] != NULL)
            sorted[named++] = names[i];
    }
    for (uint32_t i = 0; i < allocated; i++)
        sorted[named++] = asnap_names_get(&store->allocated, i);
    qsort(sorted, named, sizeof(*sorted), by_name);
    for (size_t i = 0; error == NULL && i < named; i++) {
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

static uint32_t number_of(const struct asnap_types *types, const char *name)
{
    char **found = bsearch(&name, types->names, types->name_count, sizeof(*types->names), by_name);
    return found == NULL ? ASNAP_NONE : (uint32_t)(found - types->names);
}

/* The number of each vtable's class; ASNAP_NONE: it has no name. */
static void number_vtables(const struct asnap_types *types, const char *const *names,
                           uint32_t vtable_count, uint32_t *numbers)
{
    for (uint32_t i = 0; i < vtable_count; i++)
        numbers[i] = names[i] == NULL ? ASNAP_NONE : number_of(types, names[i]);
}

/* Where an operator new of the program's own calls another, it is the call of the first that tells
 * the type. */
static bool is_operator_new(const struct asnap_store *store, const struct asnap_stored_frame *frame)
{
    const char *function = asnap_store_function(store, frame->function);
    const char *found = function == NULL ? NULL : strstr(function, "operator new");
    return found != NULL && (found == function || found[-1] == ':');
}

static void number_tracebacks(struct asnap_types *types, const struct asnap_store *store)
{
    for (size_t i = 0; i < store->traceback_count; i++) {
        const uint32_t *ids = asnap_store_frame_ids(store, (uint32_t)i);
        uint32_t count = store->tracebacks[i].frame_count;
        uint32_t k = 0;
        while (k < count && is_operator_new(store, &store->frames[ids[k]]))
            k++;
        uint32_t allocates = k < count ? store->frames[ids[k]].allocates : 0;
        types->of_tracebacks[i] =
            allocates == 0 ? ASNAP_NONE
                           : number_of(types, asnap_names_get(&store->allocated, allocates - 1));
    }
}

static struct asnap_error *fill(struct asnap_types *types, const struct asnap_store *store,
                                const uint64_t *addresses, const uint32_t *vtables, size_t count,
                                const char *const *names, uint32_t vtable_count)
{
    struct asnap_error *error = copy_names(types, store, names, vtable_count);
    uint32_t *numbers = calloc((size_t)vtable_count + 1, sizeof(*numbers));
    types->addresses = calloc(count + 1, sizeof(*types->addresses));
    types->numbers = calloc(count + 1, sizeof(*types->numbers));
    if (store != NULL)
        types->of_tracebacks = calloc(store->traceback_count + 1, sizeof(*types->of_tracebacks));
    if (error == NULL && (numbers == NULL || types->addresses == NULL || types->numbers == NULL ||
                          (store != NULL && types->of_tracebacks == NULL)))
        error = asnap_error_no_memory();
    if (error == NULL) {
        number_vtables(types, names, vtable_count, numbers);
        if (store != NULL)
            number_tracebacks(types, store);
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

struct asnap_error *asnap_types_create(const struct asnap_store *store, const uint64_t *addresses,
                                       const uint32_t *vtables, size_t count,
                                       const char *const *names, uint32_t vtable_count,
                                       struct asnap_types **types)
{
    struct asnap_types *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = fill(made, store, addresses, vtables, count, names, vtable_count);
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
    free(types->of_tracebacks);
    free(types);
}

/* Where an address is among `addresses`; `count`: it is not. */
static size_t place_of(const struct asnap_types *types, uint64_t address)
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

uint32_t asnap_types_of(const struct asnap_types *types, const struct asnap_trace *trace)
{
    size_t place = place_of(types, trace->address);
    if (place < types->count)
        return types->numbers[place];
    return types->of_tracebacks == NULL ? ASNAP_NONE : types->of_tracebacks[trace->traceback_id];
}

static int by_address(const void *left, const void *right)
{
    const struct asnap_typed *a = left;
    const struct asnap_typed *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

struct asnap_error *asnap_types_list(const struct asnap_types *types,
                                     const struct asnap_trace *traces, size_t count,
                                     struct asnap_typed **typed, size_t *typed_count)
{
    struct asnap_typed *found = malloc((count + 1) * sizeof(*found));
    size_t known = 0, kept = 0;
    if (found == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count; i++) {
        uint32_t number = asnap_types_of(types, &traces[i]);
        if (number != ASNAP_NONE)
            found[known++] = (struct asnap_typed){traces[i].address, number};
    }
    qsort(found, known, sizeof(*found), by_address);
    for (size_t i = 0; i < known; i++) {
        if (kept == 0 || found[kept - 1].address != found[i].address)
            found[kept++] = found[i];
    }
    *typed = found;
    *typed_count = kept;
    return NULL;
}
