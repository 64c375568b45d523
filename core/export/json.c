#include "json.h"

#include <string.h>

#include "printable.h"

static void write_escaped(struct asnap_file_writer *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"' || text[i] == '\\')
            asnap_write_byte(out, '\\');
        asnap_write_byte(out, (unsigned char)text[i]);
    }
}

void asnap_json_string(struct asnap_file_writer *out, const char *text, size_t size)
{
    asnap_write_byte(out, '"');
    write_escaped(out, text, size);
    asnap_write_byte(out, '"');
}

void asnap_json_text(struct asnap_file_writer *out, const char *text)
{
    size_t size = strlen(text);
    asnap_write_byte(out, '"');
    for (size_t i = 0; i < size;) {
        char written[ASNAP_PRINTABLE_BYTES];
        size_t length;
        i += asnap_printable_step(text + i, size - i, ASNAP_PRINTABLE_TEXT, written, &length);
        write_escaped(out, written, length);
    }
    asnap_write_byte(out, '"');
}
