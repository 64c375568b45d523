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

void asnap_write_number(struct asnap_file_writer *writer, uint64_t number)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char digits[20];
    size_t start = sizeof(digits);
    for (; number >= 100; number /= 100)
        memcpy(digits + (start -= 2), pairs + 2 * (number % 100), 2);
    if (number >= 10)
        memcpy(digits + (start -= 2), pairs + 2 * number, 2);
    else
        digits[--start] = (char)('0' + number);
    asnap_write_bytes(writer, digits + start, sizeof(digits) - start);
}

struct asnap_error *asnap_file_writer_end(struct asnap_file_writer *writer)
{
    asnap_file_writer_flush(writer);
    struct asnap_error *error = writer->error;
    writer->error = NULL;
    return error;
}
