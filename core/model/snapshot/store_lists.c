#include <stdlib.h>
#include <string.h>

#include "store.h"

struct asnap_error *asnap_store_add_note(struct asnap_store *store, const char *note)
{
    char **notes = reallocarray(store->notes, store->note_count + 1, sizeof(*notes));
    if (notes == NULL)
        return asnap_error_no_memory();
    store->notes = notes;
    notes[store->note_count] = strdup(note);
    if (notes[store->note_count] == NULL)
        return asnap_error_no_memory();
    store->note_count++;
    return NULL;
}

size_t asnap_store_domain(const struct asnap_store *store, uint32_t number)
{
    size_t place = store->domain_count;
    while (place > 0 && store->domains[place - 1].number >= number)
        place--;
    return place;
}

struct asnap_error *asnap_store_name_domain(struct asnap_store *store, uint32_t number,
                                            const char *name)
{
    struct asnap_domain *domains =
        reallocarray(store->domains, store->domain_count + 1, sizeof(*domains));
    if (domains == NULL)
        return asnap_error_no_memory();
    store->domains = domains;
    char *copy = strdup(name);
    if (copy == NULL)
        return asnap_error_no_memory();
    size_t place = asnap_store_domain(store, number);
    if (place < store->domain_count && domains[place].number == number) {
        free(domains[place].name);
    } else {
        memmove(&domains[place + 1], &domains[place],
                (store->domain_count - place) * sizeof(*domains));
        store->domain_count++;
    }
    domains[place] = (struct asnap_domain){.number = number, .name = copy};
    return NULL;
}

/* Puts an attribute, which it takes over, in its place. */
static void place_attribute(struct asnap_store *store, struct asnap_stored_attribute attribute)
{
    struct asnap_stored_attribute *attributes = store->attributes;
    size_t place = store->attribute_count;
    while (place > 0 && strcmp(attributes[place - 1].name, attribute.name) >= 0)
        place--;
    if (place < store->attribute_count && strcmp(attributes[place].name, attribute.name) == 0) {
        free(attributes[place].name);
        free(attributes[place].value);
    } else {
        memmove(&attributes[place + 1], &attributes[place],
                (store->attribute_count - place) * sizeof(*attributes));
        store->attribute_count++;
    }
    attributes[place] = attribute;
}

struct asnap_error *asnap_store_set_attribute(struct asnap_store *store, const char *name,
                                              const char *value)
{
    struct asnap_stored_attribute *attributes =
        reallocarray(store->attributes, store->attribute_count + 1, sizeof(*attributes));
    if (attributes == NULL)
        return asnap_error_no_memory();
    store->attributes = attributes;
    struct asnap_stored_attribute attribute = {strdup(name), strdup(value)};
    if (attribute.name == NULL || attribute.value == NULL) {
        free(attribute.name);
        free(attribute.value);
        return asnap_error_no_memory();
    }
    place_attribute(store, attribute);
    return NULL;
}

struct asnap_error *asnap_store_add_mapping(struct asnap_store *store,
                                            const struct asnap_mapping *mapping)
{
    struct asnap_stored_mapping *mappings =
        reallocarray(store->mappings, store->mapping_count + 1, sizeof(*mappings));
    if (mappings == NULL)
        return asnap_error_no_memory();
    store->mappings = mappings;
    struct asnap_stored_mapping stored = {
        .start = mapping->start, .end = mapping->end, .file_offset = mapping->file_offset};
    const char *build_id = mapping->build_id == NULL ? "" : mapping->build_id;
    struct asnap_error *error = asnap_names_add(&store->mapping_names, mapping->path, &stored.path);
    if (error == NULL)
        error = asnap_names_add(&store->mapping_names, build_id, &stored.build_id);
    if (error == NULL)
        mappings[store->mapping_count++] = stored;
    return error;
}

struct asnap_error *asnap_store_set_threads(struct asnap_store *store, const uint32_t *threads,
                                            size_t count)
{
    uint32_t *copy = reallocarray(NULL, count + 1, sizeof(*copy));
    if (copy == NULL)
        return asnap_error_no_memory();
    if (count > 0)
        memcpy(copy, threads, count * sizeof(*copy));
    free(store->threads);
    store->threads = copy;
    store->thread_count = count;
    return NULL;
}

void asnap_store_lists_deinit(struct asnap_store *store)
{
    for (size_t i = 0; i < store->note_count; i++)
        free(store->notes[i]);
    free(store->notes);
    for (size_t i = 0; i < store->domain_count; i++)
        free(store->domains[i].name);
    free(store->domains);
    for (size_t i = 0; i < store->attribute_count; i++) {
        free(store->attributes[i].name);
        free(store->attributes[i].value);
    }
    free(store->attributes);
    free(store->mappings);
    free(store->threads);
    asnap_names_deinit(&store->mapping_names);
}
