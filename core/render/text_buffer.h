/* Text under construction. Running out of memory is remembered and reported once,
 * at the end. */
#ifndef ASNAP_RENDER_TEXT_BUFFER_H
#define ASNAP_RENDER_TEXT_BUFFER_H

#include "error.h"

/* All zero is an empty text. */
struct asnap_text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
};

void asnap_text_bytes(struct asnap_text *text, const char *bytes, size_t length);
void asnap_text_string(struct asnap_text *text, const char *string);
void asnap_text_number(struct asnap_text *text, uint64_t number);

/* A name, or a text that has names in it, in their printable forms (printable.h). */
void asnap_text_name(struct asnap_text *text, const char *name);
void asnap_text_sentence(struct asnap_text *text, const char *sentence);

/* A piece of a file for a terminal, likewise, cut to `columns` characters; tabs
 * become spaces. */
void asnap_text_excerpt(struct asnap_text *text, const char *bytes, size_t length, size_t columns);

/* A JSON string with its quotes (RFC 8259), or null for NULL. A byte that is not
 * UTF-8 becomes \ufffd: a lone surrogate would keep it, but many readers refuse
 * those. */
void asnap_text_json_string(struct asnap_text *text, const char *string);

/* Hands the text over, terminated; NO_MEMORY where some of it was lost. */
struct asnap_error *asnap_text_finish(struct asnap_text *text, char **string);

void asnap_text_deinit(struct asnap_text *text);

#endif
