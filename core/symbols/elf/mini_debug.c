#include "mini_debug.h"

#include <lzma.h>
#include <stdlib.h>

#include "elf_contents.h"
#include "error.h"

/* A symbol table is not larger, nor packs it any better; and the decoder needs no more memory
 * (xz -9). */
#define IMAGE_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define RATIO_MAX ((size_t)100)
#define DECODER_BYTES_MAX ((uint64_t)80 * 1024 * 1024)

/* Unpacks into *image, which grows, and is the caller's also on failure. */
static struct asnap_error *unpack(lzma_stream *stream, char **image, size_t *size, bool *is_whole)
{
    size_t capacity = 0;
    size_t most = stream->avail_in < IMAGE_BYTES_MAX / RATIO_MAX ? stream->avail_in * RATIO_MAX
                                                                 : IMAGE_BYTES_MAX;
    lzma_ret result = LZMA_OK;
    while (result == LZMA_OK && (capacity < most || stream->avail_out > 0)) {
        size_t used = capacity - stream->avail_out;
        if (stream->avail_out == 0) {
            size_t wanted = capacity == 0 ? (size_t)256 * 1024 : 2 * capacity;
            char *grown = realloc(*image, wanted);
            if (grown == NULL)
                return asnap_error_no_memory();
            *image = grown;
            capacity = wanted;
            stream->next_out = (uint8_t *)grown + used;
            stream->avail_out = capacity - used;
        }
        result = lzma_code(stream, LZMA_FINISH);
    }
    *size = capacity - stream->avail_out;
    *is_whole = result == LZMA_STREAM_END;
    return result == LZMA_MEM_ERROR ? asnap_error_no_memory() : NULL;
}

struct asnap_error *asnap_mini_debug_open(const struct asnap_elf *elf,
                                          struct asnap_mini_debug *mini)
{
    struct asnap_mini_debug made = {0};
    *mini = made;
    Elf_Data *data = asnap_elf_raw_data(elf, asnap_elf_section(elf, ".gnu_debugdata"));
    if (data == NULL || data->d_buf == NULL)
        return NULL;
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, DECODER_BYTES_MAX, 0) != LZMA_OK)
        return asnap_error_no_memory();
    stream.next_in = data->d_buf;
    stream.avail_in = data->d_size;
    size_t size = 0;
    bool is_whole = false;
    struct asnap_error *error = unpack(&stream, &made.image, &size, &is_whole);
    lzma_end(&stream);
    if (error == NULL && is_whole)
        error = asnap_elf_open_image(made.image, size, elf->path, &made.elf);
    if (error == NULL && made.elf != NULL) {
        *mini = made;
        return NULL;
    }
    free(made.image);
    if (error == NULL || asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    asnap_error_destroy(error);
    return NULL;
}

void asnap_mini_debug_close(struct asnap_mini_debug *mini)
{
    asnap_elf_close(mini->elf);
    free(mini->image);
}
