/* Decoding UTF-8 that nobody vouches for. */
#ifndef ASNAP_MODEL_UTF8_H
#define ASNAP_MODEL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The code point at the start of `size` bytes, by RFC 3629 (no overlong forms, no
 * surrogates). Returns its length, or 0 where the bytes are not UTF-8. */
size_t asnap_utf8_decode(const char *bytes, size_t size, uint32_t *code_point);

#endif
