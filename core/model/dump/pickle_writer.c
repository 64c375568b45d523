#include "pickle_writer.h"

#include <string.h>

#include "utf8.h"

enum {
    PROTO = 0x80,
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    LONG1 = 0x8a,
    GLOBAL = 'c',
    BINUNICODE = 'X',
    SHORT_BINUNICODE = 0x8c,
    MEMOIZE = 0x94,
    BINGET = 'h',
    LONG_BINGET = 'j',
};

/* A number's low `size` bytes, the lowest first. */
static void write_low(struct asnap_pickle *pickle, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        asnap_write_byte(&pickle->writer, (unsigned)(number >> (8 * i)) & 0xff);
}

void asnap_pickle_start(struct asnap_pickle *pickle)
{
    asnap_write_byte(&pickle->writer, PROTO);
    asnap_write_byte(&pickle->writer, 4);
}

void asnap_pickle_opcode(struct asnap_pickle *pickle, enum asnap_pickle_opcode opcode)
{
    asnap_write_byte(&pickle->writer, opcode);
}

void asnap_pickle_number(struct asnap_pickle *pickle, uint64_t number)
{
    if (number <= UINT8_MAX) {
        asnap_write_byte(&pickle->writer, BININT1);
        write_low(pickle, number, 1);
    } else if (number <= UINT16_MAX) {
        asnap_write_byte(&pickle->writer, BININT2);
        write_low(pickle, number, 2);
    } else if (number <= INT32_MAX) {
        asnap_write_byte(&pickle->writer, BININT);
        write_low(pickle, number, 4);
    } else {
        /* Signed: a ninth byte keeps the largest ones above 0. */
        asnap_write_byte(&pickle->writer, LONG1);
        asnap_write_byte(&pickle->writer, 9);
        write_low(pickle, number, 8);
        asnap_write_byte(&pickle->writer, 0);
    }
}

void asnap_pickle_class(struct asnap_pickle *pickle, const char *module, const char *name)
{
    asnap_write_byte(&pickle->writer, GLOBAL);
    asnap_write_bytes(&pickle->writer, module, strlen(module));
    asnap_write_byte(&pickle->writer, '\n');
    asnap_write_bytes(&pickle->writer, name, strlen(name));
    asnap_write_byte(&pickle->writer, '\n');
}

/* Takes the next character off a string of `left` bytes, and writes it where `pickle`
 * is not NULL. Returns how many bytes are written. */
static size_t take_character(struct asnap_pickle *pickle, const char **string, size_t *left)
{
    uint32_t code_point;
    size_t length = asnap_utf8_decode(*string, *left, &code_point);
    if (length > 0) {
        if (pickle != NULL)
            asnap_write_bytes(&pickle->writer, *string, length);
        *string += length;
        *left -= length;
        return length;
    }
    unsigned char byte = (unsigned char)**string;
    ++*string;
    --*left;
    /* U+DC80 to U+DCFF, as UTF-8 would have them if it had surrogates. */
    if (pickle != NULL) {
        asnap_write_byte(&pickle->writer, 0xed);
        asnap_write_byte(&pickle->writer, 0xb0u | (unsigned)(byte >> 6));
        asnap_write_byte(&pickle->writer, 0x80u | (byte & 0x3fu));
    }
    return 3;
}

void asnap_pickle_string(struct asnap_pickle *pickle, const char *string)
{
    size_t length = strlen(string);
    const char *at = string;
    size_t size = 0;
    for (size_t left = length; left > 0;)
        size += take_character(NULL, &at, &left);
    if (size > UINT32_MAX) {
        asnap_file_writer_fail(&pickle->writer, asnap_error_no_memory());
        return;
    }
    asnap_write_byte(&pickle->writer, size <= UINT8_MAX ? SHORT_BINUNICODE : BINUNICODE);
    write_low(pickle, size, size <= UINT8_MAX ? 1 : 4);
    for (size_t left = length; left > 0;)
        take_character(pickle, &string, &left);
}

uint32_t asnap_pickle_keep(struct asnap_pickle *pickle)
{
    asnap_write_byte(&pickle->writer, MEMOIZE);
    return pickle->memo_count++;
}

void asnap_pickle_kept(struct asnap_pickle *pickle, uint32_t number)
{
    asnap_write_byte(&pickle->writer, number <= UINT8_MAX ? BINGET : LONG_BINGET);
    write_low(pickle, number, number <= UINT8_MAX ? 1 : 4);
}

struct asnap_error *asnap_pickle_end(struct asnap_pickle *pickle)
{
    return asnap_file_writer_end(&pickle->writer);
}
