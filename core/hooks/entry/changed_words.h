/* Words of loaded files that are to be changed, all of them or none: also in memory that can only
 * be read, as what the dynamic linker has filled in becomes once a file is loaded (RELRO). */
#ifndef ASNAP_HOOKS_CHANGED_WORDS_H
#define ASNAP_HOOKS_CHANGED_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct asnap_changed_word {
    uint64_t place;
    uint64_t before;
    uint64_t after;
    uint32_t file; /* its place in asnap_libraries.list */
};

/* Zero it to begin with. */
struct asnap_changed_words {
    struct asnap_changed_word *list;
    uint32_t count;
    uint32_t capacity;
};

/* Puts one on the list. False: there is no memory for it. */
bool asnap_changed_words_add(struct asnap_changed_words *words, struct asnap_changed_word word);

/* Changes them. Pages are made writable for the moment. NULL, or one that could not be changed,
 * with the kernel's number for why in `*error`; then none is. */
const struct asnap_changed_word *asnap_changed_words_apply(const struct asnap_changed_words *words,
                                                           int *error);

void asnap_changed_words_close(struct asnap_changed_words *words);

#endif
