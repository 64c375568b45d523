/* Text from outside, as a terminal may get it: names, paths, notes, messages.
 *
 * What a terminal would obey, or would show as something else than it is, is written as \xNN, byte
 * by byte: control characters, line ends, characters that have no look of their own or turn the
 * direction of writing, and bytes that are not UTF-8. All that is shown to people goes through
 * here, or through printable.py, which does the same. */
#ifndef ASNAP_BASE_PRINTABLE_H
#define ASNAP_BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a character can be shown as it is. */
bool asnap_is_printable(uint32_t code_point);

/* The printable form of one character is not longer, in bytes. */
#define ASNAP_PRINTABLE_BYTES 16

enum asnap_printable_kind {
    /* A name: of a backslash that would look as if it began an escape, \x5c is made, so that the
     * bytes of the name can be told from what is shown. */
    ASNAP_PRINTABLE_NAME,
    /* A text for people, whose names have been made printable when it was written. */
    ASNAP_PRINTABLE_TEXT,
};

/* Writes the character at the start of `text`, which has `size` bytes (not 0), and sets the
 * length of what was written. Returns how many bytes of the text it was. */
size_t asnap_printable_step(const char *text, size_t size, enum asnap_printable_kind kind,
                            char written[ASNAP_PRINTABLE_BYTES], size_t *length);

/* The printable form of a text; free() it. NULL where memory is short. */
char *asnap_printable(const char *text, enum asnap_printable_kind kind);

#endif
