#include "text_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"
#include "utf8.h"

/* Room for `length` more bytes and a NUL. */
static bool reserve(struct asnap_text *text, size_t length)
{
    if (text->failed || length >= SIZE_MAX / 2 - text->length) {
        text->failed = true;
        return false;
    }
    size_t needed = text->length + length + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity * 2 < 256 ? 256 : text->capacity * 2;
    if (capacity < needed)
        capacity = needed;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void asnap_text_bytes(struct asnap_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void asnap_text_string(struct asnap_text *text, const char *string)
{
    asnap_text_bytes(text, string, strlen(string));
}

void asnap_text_number(struct asnap_text *text, uint64_t number)
{
    char digits[20];
    size_t start = sizeof(digits);
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    asnap_text_bytes(text, digits + start, sizeof(digits) - start);
}

/* Writes the character at the start of `bytes` and sets the columns it takes;
 * returns how many of the bytes it was. */
static size_t write_character(struct asnap_text *text, const char *bytes, size_t size,
                              enum asnap_printable_kind kind, size_t *columns)
{
    char written[ASNAP_PRINTABLE_BYTES];
    size_t length;
    size_t taken = asnap_printable_step(bytes, size, kind, written, &length);
    asnap_text_bytes(text, written, length);
    bool is_plain = length == taken && memcmp(written, bytes, taken) == 0;
    *columns = is_plain ? 1 : length;
    return taken;
}

static void write_printable(struct asnap_text *text, const char *string,
                            enum asnap_printable_kind kind)
{
    size_t size = strlen(string);
    size_t columns = 0;
    for (size_t i = 0; i < size;)
        i += write_character(text, string + i, size - i, kind, &columns);
}

void asnap_text_name(struct asnap_text *text, const char *name)
{
    write_printable(text, name, ASNAP_PRINTABLE_NAME);
}

void asnap_text_sentence(struct asnap_text *text, const char *sentence)
{
    write_printable(text, sentence, ASNAP_PRINTABLE_TEXT);
}

void asnap_text_excerpt(struct asnap_text *text, const char *bytes, size_t length, size_t columns)
{
    static const char ellipsis[] = "...";
    size_t used = 0;
    size_t cut = text->length; /* the longest text that leaves room for the ellipsis */
    for (size_t i = 0; i < length;) {
        size_t width = 1;
        if (bytes[i] == '\t') {
            asnap_text_bytes(text, " ", 1);
            i++;
        } else {
            i += write_character(text, bytes + i, length - i, ASNAP_PRINTABLE_TEXT, &width);
        }
        used += width;
        if (used + strlen(ellipsis) <= columns)
            cut = text->length;
        if (used > columns) {
            text->length = cut;
            asnap_text_string(text, ellipsis);
            return;
        }
    }
}

static void write_json_escape(struct asnap_text *text, uint32_t code_point)
{
    char escape[16];
    if (code_point == '"' || code_point == '\\')
        snprintf(escape, sizeof(escape), "\\%c", (char)code_point);
    else if (code_point < 0x10000)
        snprintf(escape, sizeof(escape), "\\u%04x", code_point);
    else /* RFC 8259, section 7 */
        snprintf(escape, sizeof(escape), "\\u%04x\\u%04x", 0xd7c0 + (code_point >> 10),
                 0xdc00 + (code_point & 0x3ff));
    asnap_text_string(text, escape);
}

void asnap_text_json_string(struct asnap_text *text, const char *string)
{
    if (string == NULL) {
        asnap_text_string(text, "null");
        return;
    }
    size_t size = strlen(string);
    asnap_text_string(text, "\"");
    for (size_t i = 0; i < size;) {
        uint32_t code_point = 0;
        size_t length = asnap_utf8_decode(string + i, size - i, &code_point);
        if (length == 0)
            asnap_text_string(text, "\\ufffd");
        else if (!asnap_is_printable(code_point) || code_point == '"' || code_point == '\\')
            write_json_escape(text, code_point);
        else
            asnap_text_bytes(text, string + i, length);
        i += length == 0 ? 1 : length;
    }
    asnap_text_string(text, "\"");
}

struct asnap_error *asnap_text_finish(struct asnap_text *text, char **string)
{
    if (!reserve(text, 0)) {
        asnap_text_deinit(text);
        return asnap_error_no_memory();
    }
    text->bytes[text->length] = '\0';
    *string = text->bytes;
    *text = (struct asnap_text){0};
    return NULL;
}

void asnap_text_deinit(struct asnap_text *text)
{
    free(text->bytes);
    *text = (struct asnap_text){0};
}

void asnap_string_destroy(char *text)
{
    free(text);
}
