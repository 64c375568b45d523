/* Writing a file from its start to its end, through a buffer. */
#ifndef ASNAP_BASE_FILE_WRITER_H
#define ASNAP_BASE_FILE_WRITER_H

#include "atomic_file.h"

#define ASNAP_FILE_WRITER_BUFFER ((size_t)256 * 1024)

/* The first failure is kept, and nothing is written after it. */
struct asnap_file_writer {
    struct asnap_atomic_file *file;
    struct asnap_error *error;
    uint64_t written; /* bytes, without those in the buffer */
    size_t used;      /* of the buffer */
    char buffer[ASNAP_FILE_WRITER_BUFFER];
};

/* Keeps an error that was found elsewhere, or destroys it where there is one already. NULL is
 * accepted. */
void asnap_file_writer_fail(struct asnap_file_writer *writer, struct asnap_error *error);

/* Empties the buffer. */
void asnap_file_writer_flush(struct asnap_file_writer *writer);

void asnap_write_bytes(struct asnap_file_writer *writer, const void *bytes, size_t size);
void asnap_write_string(struct asnap_file_writer *writer, const char *string);

/* A number in decimal digits. */
void asnap_write_number(struct asnap_file_writer *writer, uint64_t number);

static inline void asnap_write_byte(struct asnap_file_writer *writer, unsigned byte)
{
    if (writer->used == sizeof(writer->buffer))
        asnap_file_writer_flush(writer);
    writer->buffer[writer->used++] = (char)byte;
}

/* For what is written piece by piece: a place in the buffer with room for `size` bytes, at most
 * ASNAP_FILE_WRITER_BUFFER, and the end of what was put there. */
static inline char *asnap_write_begin(struct asnap_file_writer *writer, size_t size)
{
    if (size > sizeof(writer->buffer) - writer->used)
        asnap_file_writer_flush(writer);
    return writer->buffer + writer->used;
}

static inline void asnap_write_until(struct asnap_file_writer *writer, const char *end)
{
    writer->used = (size_t)(end - writer->buffer);
}

/* Puts the decimal digits of a number at a place, at most ASNAP_DIGITS of them, and returns their
 * end. */
enum { ASNAP_DIGITS = 20 };
char *asnap_put_number(char *place, uint64_t number);

/* Writes what is left; returns the first failure, which is the caller's. */
struct asnap_error *asnap_file_writer_end(struct asnap_file_writer *writer);

#endif
