#include "gzip_writer.h"

#include <stdlib.h>
#include <string.h>

/* The largest window, and gzip's header and sum (zlib.h, deflateInit2). */
enum { WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };

static void *take(void *context, unsigned count, unsigned size)
{
    (void)context;
    return calloc(count, size);
}

static void give(void *context, void *memory)
{
    (void)context;
    free(memory);
}

struct asnap_error *asnap_gzip_open(struct asnap_gzip_writer *writer, struct asnap_file_writer *out)
{
    writer->out = out;
    writer->used = 0;
    writer->stream = (z_stream){.zalloc = take, .zfree = give};
    writer->is_open = deflateInit2(&writer->stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS,
                                   MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    return writer->is_open ? NULL : asnap_error_no_memory();
}

/* Compresses what is in the buffer; with Z_FINISH up to the end of the file. */
static void compress_buffer(struct asnap_gzip_writer *writer, int flush)
{
    unsigned char compressed[16 * 1024];
    z_stream *stream = &writer->stream;
    stream->next_in = writer->buffer;
    stream->avail_in = (uInt)writer->used;
    do {
        stream->next_out = compressed;
        stream->avail_out = sizeof(compressed);
        /* It cannot fail: the state is right, and there is room. */
        deflate(stream, flush);
        asnap_write_bytes(writer->out, compressed, sizeof(compressed) - stream->avail_out);
    } while (stream->avail_out == 0);
    writer->used = 0;
}

void asnap_gzip_write(struct asnap_gzip_writer *writer, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        size_t room = sizeof(writer->buffer) - writer->used;
        size_t part = size < room ? size : room;
        memcpy(writer->buffer + writer->used, at, part);
        writer->used += part;
        at += part;
        size -= part;
        if (writer->used == sizeof(writer->buffer))
            compress_buffer(writer, Z_NO_FLUSH);
    }
}

void asnap_gzip_end(struct asnap_gzip_writer *writer)
{
    compress_buffer(writer, Z_FINISH);
}

void asnap_gzip_close(struct asnap_gzip_writer *writer)
{
    if (writer->is_open)
        deflateEnd(&writer->stream);
    writer->is_open = false;
}
