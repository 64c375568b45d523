#include "report_names.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

struct wanted {
    const struct asnap_report_names *names;
    const char *text;
};

static bool same(const void *context, uint32_t id)
{
    const struct wanted *wanted = context;
    return strcmp(wanted->names->raw.bytes + wanted->names->starts[id], wanted->text) == 0;
}

/* Makes room for `size` more bytes. */
static struct asnap_error *reserve(struct asnap_report_bytes *bytes, size_t size)
{
    char *grown = asnap_grow(bytes->bytes, &bytes->capacity, bytes->size + size, 1);
    if (grown == NULL)
        return asnap_error_no_memory();
    bytes->bytes = grown;
    return NULL;
}

/* Adds the printable form of a text and its length. */
static struct asnap_error *show(struct asnap_report_names *names, const char *text, size_t size,
                                enum asnap_printable_kind kind)
{
    size_t before = names->shown.size;
    for (size_t i = 0; i < size;) {
        struct asnap_error *error = reserve(&names->shown, ASNAP_PRINTABLE_BYTES);
        if (error != NULL)
            return error;
        size_t length;
        i += asnap_printable_step(text + i, size - i, kind, names->shown.bytes + names->shown.size,
                                  &length);
        names->shown.size += length;
    }
    return asnap_report_list_add(&names->lengths, (uint32_t)(names->shown.size - before));
}

static struct asnap_error *add(struct asnap_report_names *names, const char *text, size_t size,
                               enum asnap_printable_kind kind, uint32_t hash)
{
    struct asnap_error *error = asnap_intern_reserve(&names->table);
    if (error == NULL)
        error = reserve(&names->raw, size + 1);
    if (error != NULL)
        return error;
    size_t *starts = asnap_grow(names->starts, &names->start_capacity, names->lengths.count + 1,
                                sizeof(*names->starts));
    if (starts == NULL)
        return asnap_error_no_memory();
    names->starts = starts;
    error = show(names, text, size, kind);
    if (error != NULL)
        return error;
    uint32_t number = (uint32_t)names->lengths.count - 1;
    names->starts[number] = names->raw.size;
    memcpy(names->raw.bytes + names->raw.size, text, size + 1);
    names->raw.size += size + 1;
    asnap_intern_add(&names->table, hash, number);
    return NULL;
}

struct asnap_error *asnap_report_name(struct asnap_report_names *names, const char *text,
                                      enum asnap_printable_kind kind, uint32_t *number)
{
    *number = 0;
    if (text == NULL)
        return NULL;
    size_t size = strlen(text);
    uint32_t hash = asnap_hash_bytes(text, size);
    struct wanted wanted = {names, text};
    *number = asnap_intern_find(&names->table, hash, same, &wanted);
    if (*number != ASNAP_NONE)
        return NULL;
    *number = (uint32_t)names->lengths.count;
    return add(names, text, size, kind, hash);
}

struct asnap_error *asnap_report_add_name(struct asnap_report_names *names, const char *text,
                                          enum asnap_printable_kind kind,
                                          struct asnap_report_list *list)
{
    uint32_t number;
    struct asnap_error *error = asnap_report_name(names, text, kind, &number);
    return error != NULL ? error : asnap_report_list_add(list, number);
}

struct asnap_error *asnap_report_names_init(struct asnap_report_names *names)
{
    uint32_t number;
    *names = (struct asnap_report_names){0};
    struct asnap_error *error = asnap_report_name(names, "", ASNAP_PRINTABLE_NAME, &number);
    if (error != NULL)
        asnap_report_names_deinit(names);
    return error;
}

void asnap_report_names_deinit(struct asnap_report_names *names)
{
    asnap_intern_deinit(&names->table);
    free(names->raw.bytes);
    free(names->starts);
    free(names->shown.bytes);
    free(names->lengths.numbers);
    *names = (struct asnap_report_names){0};
}

const char *asnap_report_name_text(const struct asnap_report_names *names, uint32_t number)
{
    return names->raw.bytes + names->starts[number];
}

void asnap_report_names_write(const struct asnap_report_names *names, const char *lengths,
                              const char *bytes, struct asnap_report_output *output)
{
    asnap_report_field(output, lengths, names->lengths.numbers, names->lengths.count,
                       sizeof(*names->lengths.numbers), 0);
    asnap_report_section(output, bytes, 1, names->shown.bytes, names->shown.size);
}
