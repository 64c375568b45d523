/* The strings and plain arrays of a dump file, from its sections. */
#ifndef ASNAP_MODEL_DUMP_STRINGS_H
#define ASNAP_MODEL_DUMP_STRINGS_H

#include <stdbool.h>

#include "dump_read.h"
#include "names.h"

/* A section of strings. */
struct asnap_dump_strings {
    char *text;
    size_t size;
    size_t *offsets; /* of each in the text */
    size_t count;
};

/* Reads strings, which the caller takes back whether or not it succeeds. */
struct asnap_error *asnap_dump_read_strings(const struct asnap_dump_reader *reader,
                                            enum asnap_dump_kind kind,
                                            struct asnap_dump_strings *strings);
void asnap_dump_strings_deinit(struct asnap_dump_strings *strings);

/* Reads names; `ordered`: as those of a closed store, each greater than the one before. */
struct asnap_error *asnap_dump_read_names(const struct asnap_dump_reader *reader,
                                          enum asnap_dump_kind kind, bool ordered,
                                          struct asnap_names *names);

/* Reads an array whose elements have numbers below ASNAP_NONE; `array_place` is where the pointer
 * to it goes, for the caller to free also after an error. */
struct asnap_error *asnap_dump_read_array(const struct asnap_dump_reader *reader,
                                          enum asnap_dump_kind kind, size_t element_size,
                                          void *array_place, size_t *count);

#endif
