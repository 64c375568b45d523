/* A set of distinct strings, numbered from 0. */
#ifndef ASNAP_MODEL_NAMES_H
#define ASNAP_MODEL_NAMES_H

#include "intern.h"

/* All zero is an empty set. */
struct asnap_names {
    char *text; /* the strings one after the other, each with its NUL */
    size_t text_size;
    size_t text_capacity;
    size_t *offsets; /* of each string in `text` */
    size_t offset_capacity;
    uint32_t count;
    struct asnap_intern index;
};

/* Finds or adds (copies) a string. */
struct asnap_error *asnap_names_add(struct asnap_names *names, const char *name, uint32_t *id);

static inline const char *asnap_names_get(const struct asnap_names *names, uint32_t id)
{
    return names->text + names->offsets[id];
}

/* Closes the set: nothing can be added any more, and it takes less memory. */
void asnap_names_seal(struct asnap_names *names);

/* Renumbers the strings of a closed set in the order of asnap_utf8_compare. `rank`
 * gets the new number of each old one; it holds `count` elements. */
struct asnap_error *asnap_names_sort(struct asnap_names *names, uint32_t *rank);

void asnap_names_deinit(struct asnap_names *names);

#endif
