/* Writing a file compressed, as gzip does (RFC 1952). */
#ifndef ASNAP_EXPORT_GZIP_WRITER_H
#define ASNAP_EXPORT_GZIP_WRITER_H

#include <stdbool.h>
#include <zlib.h>

#include "file_writer.h"

struct asnap_gzip_writer {
    struct asnap_file_writer *out; /* which has the first failure */
    z_stream stream;
    bool is_open;
    size_t used; /* of `buffer` */
    unsigned char buffer[64 * 1024];
};

/* Begins. Fails with NO_MEMORY only. */
struct asnap_error *asnap_gzip_open(struct asnap_gzip_writer *writer,
                                    struct asnap_file_writer *out);
void asnap_gzip_write(struct asnap_gzip_writer *writer, const void *bytes, size_t size);
/* Writes what is left. */
void asnap_gzip_end(struct asnap_gzip_writer *writer);
/* Gives back its memory, at the end or earlier. One that is all zero is accepted. */
void asnap_gzip_close(struct asnap_gzip_writer *writer);

#endif
