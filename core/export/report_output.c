#include "report_output.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of sections are as the page reads them. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sections are little-endian");

#define ALIGNMENT 8

/* Three bytes as four letters (RFC 4648). */
static char *encode(const unsigned char bytes[3], char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    for (size_t i = 0; i < 4; i++)
        text[i] = letters[word >> (18 - 6 * i) & 63];
    return text + 4;
}

/* Writes what is packed as a line of base64. */
static void write_line(struct asnap_report_output *output)
{
    size_t size = sizeof(output->packed) - output->stream.avail_out;
    output->stream.next_out = output->packed;
    output->stream.avail_out = sizeof(output->packed);
    if (size == 0)
        return;
    char *line = asnap_write_begin(output->out, sizeof(output->packed) / 3 * 4 + 4 + 1);
    size_t i = 0;
    for (; i + 3 <= size; i += 3)
        line = encode(output->packed + i, line);
    if (i < size) {
        unsigned char last[3] = {0};
        memcpy(last, output->packed + i, size - i);
        line = encode(last, line);
        memset(line - (3 - (size - i)), '=', 3 - (size - i));
    }
    *line++ = '\n';
    asnap_write_until(output->out, line);
}

static void write_bytes(struct asnap_report_output *output, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size != 0 && output->out->error == NULL) {
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

struct asnap_error *asnap_report_output_create(struct asnap_file_writer *out, bool much,
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
    made->out = out;
    made->much = much;
    made->stream = (z_stream){.zalloc = take, .zfree = give};
    if (deflateInit(&made->stream, much ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION) != Z_OK) {
        free(made);
        return asnap_error_no_memory();
    }
    made->stream.next_out = made->packed;
    made->stream.avail_out = sizeof(made->packed);
    write_bytes(made, &head, sizeof(head));
    *output = made;
    return NULL;
}

void asnap_report_output_destroy(struct asnap_report_output *output)
{
    if (output == NULL)
        return;
    deflateEnd(&output->stream);
    free(output);
}

static void begin(struct asnap_report_output *output, const char *tag, uint32_t width, size_t count)
{
    struct {
        char tag[4];
        uint32_t width;
        uint64_t count;
    } head = {.width = width, .count = count};
    memcpy(head.tag, tag, sizeof(head.tag));
    write_bytes(output, &head, sizeof(head));
}

static void end(struct asnap_report_output *output, size_t bytes)
{
    static const unsigned char zeros[ALIGNMENT];
    write_bytes(output, zeros, -bytes % ALIGNMENT);
}

void asnap_report_section(struct asnap_report_output *output, const char *tag, uint32_t width,
                          const void *numbers, size_t count)
{
    begin(output, tag, width, count);
    write_bytes(output, numbers, count * width);
    end(output, count * width);
}

/* Bytes of numbers none of which has other bits than these. */
static uint32_t width_for(uint32_t all)
{
    return all <= UINT8_MAX ? 1 : all <= UINT16_MAX ? 2 : 4;
}

static uint32_t width_of(size_t count, asnap_report_number *number, const void *context)
{
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= number(context, i);
    return width_for(all);
}

void asnap_report_column(struct asnap_report_output *output, const char *tag, size_t count,
                         asnap_report_number *number, const void *context)
{
    unsigned char bytes[4096];
    size_t used = 0;
    uint32_t width = width_of(count, number, context);
    begin(output, tag, width, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t here = number(context, i);
        memcpy(bytes + used, &here, width);
        used += width;
        if (used == sizeof(bytes)) {
            write_bytes(output, bytes, used);
            used = 0;
        }
    }
    write_bytes(output, bytes, used);
    end(output, count * width);
}

static uint32_t bits_at(const char *word, struct asnap_report_bits bits)
{
    uint32_t number;
    memcpy(&number, word, sizeof(number));
    return number >> bits.shift & bits.mask;
}

void asnap_report_bits(struct asnap_report_output *output, const char *tag, const void *structures,
                       size_t count, size_t size, size_t offset, struct asnap_report_bits bits)
{
    unsigned char bytes[4096];
    const char *words = count == 0 ? NULL : (const char *)structures + offset;
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= bits_at(words + i * size, bits);
    uint32_t width = width_for(all);
    begin(output, tag, width, count);
    for (size_t i = 0; i < count;) {
        size_t used = 0;
        for (; i < count && used < sizeof(bytes); i++, used += width) {
            uint32_t number = bits_at(words + i * size, bits);
            memcpy(bytes + used, &number, width);
        }
        write_bytes(output, bytes, used);
    }
    end(output, count * width);
}

void asnap_report_field(struct asnap_report_output *output, const char *tag, const void *structures,
                        size_t count, size_t size, size_t offset)
{
    static const struct asnap_report_bits whole = {0, UINT32_MAX};
    asnap_report_bits(output, tag, structures, count, size, offset, whole);
}

/* Changes how what comes is compressed; what came before it is compressed first. */
static void compress_by(struct asnap_report_output *output, int strategy)
{
    if (!output->much)
        return;
    output->stream.avail_in = 0;
    while (output->out->error == NULL &&
           deflateParams(&output->stream, Z_BEST_SPEED, strategy) == Z_BUF_ERROR)
        write_line(output);
}

void asnap_report_columns_begin(struct asnap_report_output *output)
{
    compress_by(output, Z_RLE);
}

void asnap_report_columns_end(struct asnap_report_output *output)
{
    compress_by(output, Z_DEFAULT_STRATEGY);
}

void asnap_report_output_end(struct asnap_report_output *output)
{
    output->stream.avail_in = 0;
    for (int result = Z_OK; result != Z_STREAM_END && output->out->error == NULL;) {
        result = deflate(&output->stream, Z_FINISH);
        write_line(output);
    }
}
