#include "dump_strings.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "utf8.h"

void asnap_dump_strings_deinit(struct asnap_dump_strings *strings)
{
    free(strings->text);
    free(strings->offsets);
}

static struct asnap_error *find_strings(struct asnap_dump_strings *strings)
{
    size_t capacity = 0;
    strings->offsets = asnap_grow(NULL, &capacity, 1, sizeof(*strings->offsets));
    for (size_t at = 0; strings->offsets != NULL && at < strings->size; strings->count++) {
        size_t *offsets =
            asnap_grow(strings->offsets, &capacity, strings->count + 1, sizeof(*strings->offsets));
        if (offsets == NULL)
            return asnap_error_no_memory();
        strings->offsets = offsets;
        offsets[strings->count] = at;
        at += strlen(strings->text + at) + 1;
    }
    return strings->offsets == NULL ? asnap_error_no_memory() : NULL;
}

struct asnap_error *asnap_dump_read_strings(const struct asnap_dump_reader *reader,
                                            enum asnap_dump_kind kind,
                                            struct asnap_dump_strings *strings)
{
    void *text;
    *strings = (struct asnap_dump_strings){0};
    struct asnap_error *error = asnap_dump_read(reader, kind, 1, &text, &strings->size);
    if (error != NULL)
        return error;
    strings->text = text;
    if (strings->size > 0 && strings->text[strings->size - 1] != '\0')
        return asnap_dump_damaged(reader, "section %u: its last string has no terminating zero",
                                  kind);
    return find_strings(strings);
}

struct asnap_error *asnap_dump_read_names(const struct asnap_dump_reader *reader,
                                          enum asnap_dump_kind kind, bool ordered,
                                          struct asnap_names *names)
{
    struct asnap_dump_strings strings;
    struct asnap_error *error = asnap_dump_read_strings(reader, kind, &strings);
    if (error == NULL && strings.count >= ASNAP_NONE)
        error =
            asnap_dump_damaged(reader, "section %u: %zu names are too many", kind, strings.count);
    for (size_t i = 1; error == NULL && ordered && i < strings.count; i++) {
        const char *last = strings.text + strings.offsets[i - 1];
        if (asnap_utf8_compare(last, strings.text + strings.offsets[i]) >= 0)
            error = asnap_dump_damaged(reader, "section %u: name %zu is not greater than name %zu",
                                       kind, i, i - 1);
    }
    if (error != NULL) {
        asnap_dump_strings_deinit(&strings);
        return error;
    }
    *names = (struct asnap_names){
        .text = strings.text,
        .text_size = strings.size,
        .text_capacity = strings.size,
        .offsets = strings.offsets,
        .offset_capacity = strings.count,
        .count = (uint32_t)strings.count,
    };
    return NULL;
}

struct asnap_error *asnap_dump_read_array(const struct asnap_dump_reader *reader,
                                          enum asnap_dump_kind kind, size_t element_size,
                                          void *array_place, size_t *count)
{
    void *elements;
    struct asnap_error *error = asnap_dump_read(reader, kind, element_size, &elements, count);
    if (error != NULL)
        return error;
    memcpy(array_place, &elements, sizeof(elements));
    return *count < ASNAP_NONE
               ? NULL
               : asnap_dump_damaged(reader, "section %u: %zu elements are too many", kind, *count);
}
