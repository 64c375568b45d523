/* Numbers in the environment and in the kernel's files. */
#ifndef ASNAP_HOOKS_NUMBERS_H
#define ASNAP_HOOKS_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Reads digits up to `end` into `number`; false: there is something else, or too large a number. */
bool asnap_parse_digits(const char *text, const char *end, uint64_t *number);

/* A number of bytes, with K, M or G behind it or without. */
bool asnap_parse_bytes(const char *text, const char *end, uint64_t *bytes);

#endif
