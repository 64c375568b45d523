#include "pprof_writer.h"

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
    struct asnap_pprof_writer *writer = (struct asnap_pprof_writer *)buffer;
    asnap_gzip_write(&writer->gzip, bytes, size);
}

struct asnap_error *asnap_pprof_open(struct asnap_pprof_writer *writer,
                                     struct asnap_file_writer *out)
{
    int64_t empty;
    writer->buffer = (ProtobufCBuffer){.append = append};
    writer->strings = (struct asnap_strings){0};
    struct asnap_error *error = asnap_gzip_open(&writer->gzip, out);
    return error != NULL ? error : asnap_pprof_text(writer, "", &empty);
}

struct asnap_error *asnap_pprof_made(struct asnap_pprof_writer *writer, int64_t *number)
{
    uint32_t id;
    struct asnap_error *error = asnap_strings_end(&writer->strings, &id);
    if (error == NULL)
        *number = id;
    return error;
}

struct asnap_error *asnap_pprof_name(struct asnap_pprof_writer *writer, const char *name,
                                     int64_t *number)
{
    asnap_strings_name(&writer->strings, name, "");
    return asnap_pprof_made(writer, number);
}

struct asnap_error *asnap_pprof_text(struct asnap_pprof_writer *writer, const char *text,
                                     int64_t *number)
{
    asnap_strings_text(&writer->strings, text);
    return asnap_pprof_made(writer, number);
}

void asnap_pprof_write(struct asnap_pprof_writer *writer, const Asnap__Profile *part)
{
    uint8_t packed[2048];
    size_t size = asnap__profile__get_packed_size(part);
    /* A piece for each number, as the buffer gets them, takes longer than all else. */
    if (size <= sizeof(packed))
        asnap_gzip_write(&writer->gzip, packed, asnap__profile__pack(part, packed));
    else
        asnap__profile__pack_to_buffer(part, &writer->buffer);
}

void asnap_pprof_end(struct asnap_pprof_writer *writer)
{
    for (uint32_t i = 0; i < writer->strings.count; i++) {
        ProtobufCBinaryData string;
        Asnap__Profile part = ASNAP__PROFILE__INIT;
        const char *text = asnap_strings_get(&writer->strings, i, &string.len);
        string.data = (uint8_t *)text;
        part.n_string_table = 1;
        part.string_table = &string;
        asnap_pprof_write(writer, &part);
    }
    asnap_gzip_end(&writer->gzip);
}

void asnap_pprof_close(struct asnap_pprof_writer *writer)
{
    asnap_gzip_close(&writer->gzip);
    asnap_strings_deinit(&writer->strings);
}
