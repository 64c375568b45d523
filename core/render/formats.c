#include "formats.h"

#include "block_formats.h"

static const struct asnap_format_writers table[] = {
    [ASNAP_FORMAT_TEXT] = {asnap_rows_text, asnap_blocks_text, asnap_who_text, asnap_lives_text,
                           asnap_errors_text},
    [ASNAP_FORMAT_JSON] = {asnap_rows_json, asnap_blocks_json, asnap_who_json, asnap_lives_json,
                           asnap_errors_json},
};

struct asnap_error *asnap_format_find(enum asnap_format format,
                                      const struct asnap_format_writers **writers)
{
    unsigned int count = sizeof(table) / sizeof(table[0]);
    if ((unsigned int)format >= count)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "no output format %u: there are formats 0 to %u",
                                  (unsigned int)format, count - 1);
    *writers = &table[format];
    return NULL;
}

struct asnap_error *asnap_rows_render(const struct asnap_rows *rows, enum asnap_format format,
                                      const struct asnap_render_options *options, char **text)
{
    const struct asnap_format_writers *writers;
    struct asnap_error *error = asnap_format_find(format, &writers);
    return error != NULL ? error : writers->rows(rows, options, text);
}
