/* Distinct strings, numbered from 0 in the order in which they come. */
#ifndef ASNAP_EXPORT_STRINGS_H
#define ASNAP_EXPORT_STRINGS_H

#include "intern.h"

/* All zero is an empty set. Running out of memory is remembered, and reported by
 * asnap_strings_end. */
struct asnap_strings {
    char *text; /* one after the other; then the one that is being made */
    size_t size;
    size_t made; /* bytes of the one that is being made */
    size_t capacity;
    size_t *ends; /* of each in `text` */
    size_t end_capacity;
    uint32_t count;
    struct asnap_intern index;
    bool failed;
};

/* Adds to the string that is being made: bytes, a number, a name in its printable form
 * (printable.h), where a character of `escaped` is written as \xNN too, and a sentence whose names
 * may not be printable yet. */
void asnap_strings_bytes(struct asnap_strings *strings, const char *bytes, size_t size);
void asnap_strings_number(struct asnap_strings *strings, uint64_t number);
void asnap_strings_name(struct asnap_strings *strings, const char *name, const char *escaped);
void asnap_strings_text(struct asnap_strings *strings, const char *text);
/* A name within the quotes of a string of JSON. */
void asnap_strings_json(struct asnap_strings *strings, const char *name);

/* Ends it: its number, which is an older one's where they are equal. Fails with NO_MEMORY only. */
struct asnap_error *asnap_strings_end(struct asnap_strings *strings, uint32_t *id);

/* The string of a number, which is not terminated. */
const char *asnap_strings_get(const struct asnap_strings *strings, uint32_t id, size_t *size);

void asnap_strings_deinit(struct asnap_strings *strings);

#endif
