/* Decoding bytes that may be UTF-8, or not. */
#ifndef ASNAP_MODEL_UTF8_H
#define ASNAP_MODEL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The code point at the start of `size` bytes, by RFC 3629 (no overlong forms, no
 * surrogates). Returns its length, or 0 where the bytes are not UTF-8. */
size_t asnap_utf8_decode(const char *bytes, size_t size, uint32_t *code_point);

/* The same in a name, which may hold other bytes: they become the lone surrogates
 * that Python's file names have for them (U+DC00 and the byte). `size` is not 0. */
size_t asnap_utf8_decode_name(const char *bytes, size_t size, uint32_t *code_point);

/* As strcmp, of names by code points: the order that Python puts them in. */
int asnap_utf8_compare(const char *left, const char *right);

#endif
