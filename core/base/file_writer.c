#include "file_writer.h"

#include <string.h>

void asnap_file_writer_fail(struct asnap_file_writer *writer, struct asnap_error *error)
{
    if (writer->error == NULL)
        writer->error = error;
    else
        asnap_error_destroy(error);
}

void asnap_file_writer_flush(struct asnap_file_writer *writer)
{
    if (writer->error == NULL)
        writer->error =
            asnap_atomic_file_write(writer->file, writer->buffer, writer->used, writer->written);
    writer->written += writer->used;
    writer->used = 0;
}

void asnap_write_bytes(struct asnap_file_writer *writer, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > sizeof(writer->buffer) - writer->used) {
        size_t part = sizeof(writer->buffer) - writer->used;
        memcpy(writer->buffer + writer->used, at, part);
        writer->used += part;
        at += part;
        size -= part;
        asnap_file_writer_flush(writer);
    }
    memcpy(writer->buffer + writer->used, at, size);
    writer->used += size;
}

void asnap_write_string(struct asnap_file_writer *writer, const char *string)
{
    asnap_write_bytes(writer, string, strlen(string));
}

/* How many digits a number has: from its bits, and one less where it is below that power of ten. */
static size_t count_digits(uint64_t number)
{
    static const uint64_t powers[ASNAP_DIGITS] = {
        0,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        10000000000000000000u,
    };
    size_t bits = 64 - (size_t)__builtin_clzll(number | 1);
    /* log10(2) is about 1233 / 4096. */
    size_t digits = bits * 1233 >> 12;
    return number < powers[digits] ? digits : digits + 1;
}

char *asnap_put_number(char *place, uint64_t number)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char *end = place + count_digits(number);
    char *at = end;
    for (; number >= 100; number /= 100)
        memcpy(at -= 2, pairs + 2 * (number % 100), 2);
    if (number >= 10)
        memcpy(at - 2, pairs + 2 * number, 2);
    else
        at[-1] = (char)('0' + number);
    return end;
}

void asnap_write_number(struct asnap_file_writer *writer, uint64_t number)
{
    char *place = asnap_write_begin(writer, ASNAP_DIGITS);
    asnap_write_until(writer, asnap_put_number(place, number));
}

struct asnap_error *asnap_file_writer_end(struct asnap_file_writer *writer)
{
    asnap_file_writer_flush(writer);
    struct asnap_error *error = writer->error;
    writer->error = NULL;
    return error;
}
