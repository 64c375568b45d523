#include "export_strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "printable.h"

void asnap_strings_bytes(struct asnap_strings *strings, const char *bytes, size_t size)
{
    size_t used = strings->size + strings->made;
    if (strings->failed || size == 0)
        return;
    if (size > strings->capacity - used) {
        char *text = asnap_grow(strings->text, &strings->capacity, used + size, 1);
        if (text == NULL) {
            strings->failed = true;
            return;
        }
        strings->text = text;
    }
    memcpy(strings->text + used, bytes, size);
    strings->made += size;
}

void asnap_strings_number(struct asnap_strings *strings, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    asnap_strings_bytes(strings, digits, (size_t)length);
}

void asnap_strings_name(struct asnap_strings *strings, const char *name, const char *escaped)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size;) {
        char written[ASNAP_PRINTABLE_BYTES];
        size_t length;
        size_t taken =
            asnap_printable_step(name + i, size - i, ASNAP_PRINTABLE_NAME, written, &length);
        if (length == 1 && strchr(escaped, written[0]) != NULL)
            length = (size_t)snprintf(written, sizeof(written), "\\x%02x", (unsigned)written[0]);
        asnap_strings_bytes(strings, written, length);
        i += taken;
    }
}

void asnap_strings_text(struct asnap_strings *strings, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        char written[ASNAP_PRINTABLE_BYTES];
        size_t length;
        i += asnap_printable_step(text + i, size - i, ASNAP_PRINTABLE_TEXT, written, &length);
        asnap_strings_bytes(strings, written, length);
    }
}

void asnap_strings_json(struct asnap_strings *strings, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size;) {
        char written[ASNAP_PRINTABLE_BYTES];
        size_t length;
        i += asnap_printable_step(name + i, size - i, ASNAP_PRINTABLE_NAME, written, &length);
        for (size_t k = 0; k < length; k++) {
            if (written[k] == '"' || written[k] == '\\')
                asnap_strings_bytes(strings, "\\", 1);
            asnap_strings_bytes(strings, written + k, 1);
        }
    }
}

static size_t start_of(const struct asnap_strings *strings, uint32_t id)
{
    return id == 0 ? 0 : strings->ends[id - 1];
}

static bool is_same(const void *context, uint32_t id)
{
    const struct asnap_strings *strings = context;
    size_t start = start_of(strings, id);
    return strings->ends[id] - start == strings->made &&
           memcmp(strings->text + start, strings->text + strings->size, strings->made) == 0;
}

struct asnap_error *asnap_strings_end(struct asnap_strings *strings, uint32_t *id)
{
    if (strings->failed || strings->count == ASNAP_NONE)
        return asnap_error_no_memory();
    if (strings->text == NULL) {
        /* Only empty strings until now. */
        strings->text = asnap_grow(NULL, &strings->capacity, 1, 1);
        if (strings->text == NULL)
            return asnap_error_no_memory();
    }
    uint32_t hash = asnap_hash_bytes(strings->text + strings->size, strings->made);
    uint32_t found = asnap_intern_find(&strings->index, hash, is_same, strings);
    if (found != ASNAP_NONE) {
        strings->made = 0;
        *id = found;
        return NULL;
    }
    size_t *ends = strings->count < strings->end_capacity
                       ? strings->ends
                       : asnap_grow(strings->ends, &strings->end_capacity,
                                    (size_t)strings->count + 1, sizeof(*ends));
    if (ends == NULL)
        return asnap_error_no_memory();
    strings->ends = ends;
    struct asnap_error *error = asnap_intern_reserve(&strings->index);
    if (error != NULL)
        return error;
    asnap_intern_add(&strings->index, hash, strings->count);
    strings->size += strings->made;
    strings->made = 0;
    strings->ends[strings->count] = strings->size;
    *id = strings->count++;
    return NULL;
}

const char *asnap_strings_get(const struct asnap_strings *strings, uint32_t id, size_t *size)
{
    size_t start = start_of(strings, id);
    *size = strings->ends[id] - start;
    return strings->text + start;
}

void asnap_strings_deinit(struct asnap_strings *strings)
{
    free(strings->text);
    free(strings->ends);
    asnap_intern_deinit(&strings->index);
    *strings = (struct asnap_strings){0};
}
