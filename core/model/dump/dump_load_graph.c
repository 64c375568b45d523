#include "dump_load_graph.h"

#include <stdlib.h>

#include "dump_strings.h"
#include "graph_parts.h"
#include "utf8.h"

/* The types of a file, or the owners, before they are put into a store. */
struct types {
    const char *what; /* "type" */
    struct asnap_dump_strings strings;
    const char **names; /* of the classes: the first string is none */
    uint64_t *addresses;
    uint32_t *numbers;
    size_t count;
};

static struct asnap_error *take_names(const struct asnap_dump_reader *reader, struct types *types)
{
    const struct asnap_dump_strings *strings = &types->strings;
    types->names = calloc(strings->count + 1, sizeof(*types->names));
    if (types->names == NULL)
        return asnap_error_no_memory();
    if (strings->text[strings->offsets[0]] != '\0')
        return asnap_dump_damaged(reader, "the first name of %ss is not empty", types->what);
    for (size_t i = 1; i < strings->count; i++) {
        types->names[i - 1] = strings->text + strings->offsets[i];
        if (asnap_utf8_compare(strings->text + strings->offsets[i - 1], types->names[i - 1]) >= 0)
            return asnap_dump_damaged(
                reader, "the name of %s %zu is not greater than the one before it", types->what, i);
    }
    return NULL;
}

static struct asnap_error *take_addresses(const struct asnap_dump_reader *reader,
                                          const struct asnap_dump_type *read, struct types *types)
{
    types->addresses = calloc(types->count + 1, sizeof(*types->addresses));
    types->numbers = calloc(types->count + 1, sizeof(*types->numbers));
    if (types->addresses == NULL || types->numbers == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < types->count; i++) {
        if (read[i].name == 0 || read[i].name >= types->strings.count || read[i].reserved != 0 ||
            (i > 0 && read[i].address <= read[i - 1].address))
            return asnap_dump_damaged(
                reader,
                "%s of block %zu: name index %u of %zu names, reserved field %u, or address "
                "0x%llx is not greater than the one before",
                types->what, i, read[i].name, types->strings.count, read[i].reserved,
                (unsigned long long)read[i].address);
        types->addresses[i] = read[i].address;
        types->numbers[i] = read[i].name - 1;
    }
    return NULL;
}

static struct asnap_error *read_types(const struct asnap_dump_reader *reader,
                                      enum asnap_dump_kind names, enum asnap_dump_kind blocks,
                                      struct types *types)
{
    struct asnap_dump_type *read = NULL;
    struct asnap_error *error = asnap_dump_read_strings(reader, names, &types->strings);
    if (error == NULL)
        error = asnap_dump_read_array(reader, blocks, sizeof(*read), &read, &types->count);
    if (error == NULL && types->strings.count == 0 && types->count != 0)
        error = asnap_dump_damaged(reader, "%zu blocks have %ss, but there are no names of %ss",
                                   types->count, types->what, types->what);
    if (error == NULL && types->strings.count != 0)
        error = take_names(reader, types);
    if (error == NULL && types->strings.count != 0)
        error = take_addresses(reader, read, types);
    free(read);
    return error;
}

static void types_deinit(struct types *types)
{
    asnap_dump_strings_deinit(&types->strings);
    free(types->names);
    free(types->addresses);
    free(types->numbers);
}

struct asnap_error *asnap_dump_read_types(const struct asnap_dump_reader *reader,
                                          struct asnap_store *store)
{
    struct types types = {.what = "type"};
    struct types owners = {.what = "owner"};
    struct asnap_error *error = read_types(reader, ASNAP_DUMP_TYPE_NAMES, ASNAP_DUMP_TYPES, &types);
    if (error == NULL)
        error = read_types(reader, ASNAP_DUMP_OWNER_NAMES, ASNAP_DUMP_OWNERS, &owners);
    if (error == NULL && types.strings.count != 0)
        error = asnap_types_create(store, types.addresses, types.numbers, types.count, types.names,
                                   (uint32_t)(types.strings.count - 1), &store->types);
    if (error == NULL && owners.strings.count != 0)
        error =
            asnap_types_create(NULL, owners.addresses, owners.numbers, owners.count, owners.names,
                               (uint32_t)(owners.strings.count - 1), &store->owners);
    types_deinit(&types);
    types_deinit(&owners);
    return error;
}

/* Reads an array with an element for each trace. */
static struct asnap_error *read_by_trace(const struct asnap_dump_reader *reader,
                                         enum asnap_dump_kind kind, size_t element_size,
                                         const struct asnap_graph_parts *parts, void *array_place)
{
    size_t count = 0;
    struct asnap_error *error =
        asnap_dump_read_array(reader, kind, element_size, array_place, &count);
    if (error == NULL && count != parts->count)
        error = asnap_dump_damaged(reader, "section %d: %zu elements for %zu blocks", (int)kind,
                                   count, parts->count);
    return error;
}

static struct asnap_error *read_parts(const struct asnap_dump_reader *reader,
                                      struct asnap_graph_parts *parts)
{
    struct asnap_error *error =
        read_by_trace(reader, ASNAP_DUMP_CLASSES, sizeof(*parts->classes), parts, &parts->classes);
    if (error == NULL)
        error = read_by_trace(reader, ASNAP_DUMP_RETAINED, sizeof(*parts->retained), parts,
                              &parts->retained);
    if (error == NULL)
        error = asnap_dump_read_array(reader, ASNAP_DUMP_LEAKS, sizeof(*parts->leaks),
                                      &parts->leaks, &parts->leak_count);
    if (error == NULL)
        error = asnap_dump_read_array(reader, ASNAP_DUMP_POINTERS, sizeof(*parts->pointers),
                                      &parts->pointers, &parts->pointer_count);
    return error;
}

/* The notes that `strings` holds. */
static struct asnap_error *take_notes(const struct asnap_dump_strings *strings,
                                      struct asnap_graph_parts *parts)
{
    parts->notes = calloc(strings->count + 1, sizeof(*parts->notes));
    if (parts->notes == NULL)
        return asnap_error_no_memory();
    for (; parts->note_count < strings->count; parts->note_count++)
        parts->notes[parts->note_count] = strings->text + strings->offsets[parts->note_count];
    return NULL;
}

/* What the library says of the parts, of the file. */
static struct asnap_error *blamed_on_file(const struct asnap_dump_reader *reader,
                                          struct asnap_error *error)
{
    if (error == NULL || asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    struct asnap_error *damaged = asnap_dump_damaged(reader, "%s", asnap_error_message(error));
    asnap_error_destroy(error);
    return damaged;
}

struct asnap_error *asnap_dump_read_graph(const struct asnap_dump_reader *reader,
                                          const struct asnap_snapshot *snapshot,
                                          struct asnap_graph **graph)
{
    struct asnap_kept_sum *sums = NULL;
    size_t count = 0;
    struct asnap_error *error =
        asnap_dump_read_array(reader, ASNAP_DUMP_GRAPH, sizeof(*sums), &sums, &count);
    struct asnap_graph_parts parts = {.count = snapshot->blocks->count};
    struct asnap_dump_strings notes = {0};
    bool has_graph = error == NULL && count != 0;
    if (has_graph && count != ASNAP_KEPT_CLASSES)
        error = asnap_dump_damaged(reader, "sums of %zu classes of blocks, not of %u", count,
                                   ASNAP_KEPT_CLASSES);
    for (uint32_t i = 0; has_graph && error == NULL && i < ASNAP_KEPT_CLASSES; i++)
        parts.sums[i] = sums[i];
    if (has_graph && error == NULL)
        error = read_parts(reader, &parts);
    if (has_graph && error == NULL)
        error = asnap_dump_read_strings(reader, ASNAP_DUMP_GRAPH_NOTES, &notes);
    if (has_graph && error == NULL)
        error = take_notes(&notes, &parts);
    if (has_graph && error == NULL)
        error = blamed_on_file(reader, asnap_graph_restore(snapshot, &parts, graph));
    asnap_dump_strings_deinit(&notes);
    asnap_graph_parts_deinit(&parts);
    free(sums);
    return error;
}
