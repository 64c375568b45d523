#include "report_output.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of sections are as the page reads them. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sections are little-endian");

#define ALIGNMENT 8
/* Faster levels give a fifth more for numbers, and slower ones nothing less. */
#define LEVEL 3

struct asnap_error *asnap_report_output_create(const struct asnap_report_sink *sink,
                                               struct asnap_report_output **output)
{
    static const struct {
        char magic[8];
        uint32_t version;
        uint32_t reserved;
    } head = {{'A', 'S', 'N', 'A', 'P', 'R', 'E', 'P'}, 1, 0};
    struct asnap_report_output *made = malloc(sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->sink = sink;
    made->error = NULL;
    made->stream = (z_stream){0};
    if (deflateInit(&made->stream, LEVEL) != Z_OK) {
        free(made);
        return asnap_error_no_memory();
    }
    made->stream.next_out = made->packed;
    made->stream.avail_out = sizeof(made->packed);
    asnap_report_section_bytes(made, &head, sizeof(head));
    *output = made;
    return NULL;
}

void asnap_report_output_destroy(struct asnap_report_output *output)
{
    if (output == NULL)
        return;
    deflateEnd(&output->stream);
    asnap_error_destroy(output->error);
    free(output);
}

/* Three bytes as four letters (RFC 4648). */
static void encode(const unsigned char bytes[3], char text[4])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    for (size_t i = 0; i < 4; i++)
        text[i] = letters[word >> (18 - 6 * i) & 63];
}

/* Writes what is packed as a line of base64. */
static void write_line(struct asnap_report_output *output)
{
    char line[ASNAP_REPORT_PACKED / 3 * 4 + 4 + 1];
    size_t size = sizeof(output->packed) - output->stream.avail_out;
    size_t length = 0;
    for (size_t i = 0; i < size; i += 3, length += 4) {
        unsigned char last[3] = {0};
        size_t here = size - i < 3 ? size - i : 3;
        memcpy(last, output->packed + i, here);
        encode(last, line + length);
        memset(line + length + here + 1, '=', 3 - here);
    }
    line[length++] = '\n';
    output->stream.next_out = output->packed;
    output->stream.avail_out = sizeof(output->packed);
    if (output->error == NULL && size != 0)
        output->error = output->sink->write(output->sink->context, line, length);
}

void asnap_report_section_bytes(struct asnap_report_output *output, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size != 0 && output->error == NULL) {
        /* zlib counts by unsigned int. */
        uInt piece = size < (size_t)1 << 30 ? (uInt)size : (uInt)1 << 30;
        output->stream.next_in = (unsigned char *)(uintptr_t)at;
        output->stream.avail_in = piece;
        while (output->stream.avail_in != 0) {
            deflate(&output->stream, Z_NO_FLUSH);
            if (output->stream.avail_out == 0)
                write_line(output);
        }
        at += piece;
        size -= piece;
    }
}

void asnap_report_section_begin(struct asnap_report_output *output, const char *tag, uint32_t width,
                                size_t count)
{
    struct {
        char tag[4];
        uint32_t width;
        uint64_t count;
    } head = {.width = width, .count = count};
    memcpy(head.tag, tag, sizeof(head.tag));
    asnap_report_section_bytes(output, &head, sizeof(head));
}

void asnap_report_section_end(struct asnap_report_output *output, size_t bytes)
{
    static const unsigned char zeros[ALIGNMENT];
    asnap_report_section_bytes(output, zeros, -bytes % ALIGNMENT);
}

void asnap_report_section(struct asnap_report_output *output, const char *tag, uint32_t width,
                          const void *numbers, size_t count)
{
    asnap_report_section_begin(output, tag, width, count);
    asnap_report_section_bytes(output, numbers, count * width);
    asnap_report_section_end(output, count * width);
}

struct asnap_error *asnap_report_output_end(struct asnap_report_output *output)
{
    output->stream.avail_in = 0;
    for (int result = Z_OK; result != Z_STREAM_END && output->error == NULL;) {
        result = deflate(&output->stream, Z_FINISH);
        write_line(output);
    }
    struct asnap_error *error = output->error;
    output->error = NULL;
    return error;
}
