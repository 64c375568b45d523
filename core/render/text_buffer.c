#include "text_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Whether a terminal would obey a character, or show text in another order than
 * it is written. */
static bool is_unsafe(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) || code_point == 0x061c ||
           code_point == 0x200e || code_point == 0x200f ||
           (code_point >= 0x2028 && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069);
}

/* Writes the character at the start of `bytes` and sets the columns it takes;
 * returns how many of the bytes it was. */
static size_t write_character(struct asnap_text *text, const char *bytes, size_t size,
                              size_t *columns)
{
    uint32_t code_point = 0;
    size_t length = asnap_utf8_decode(bytes, size, &code_point);
    if (length != 0 && !is_unsafe(code_point)) {
        asnap_text_bytes(text, bytes, length);
        *columns = 1;
        return length;
    }
    if (length == 0)
        length = 1;
    for (size_t i = 0; i < length; i++) {
        char escape[8];
        snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)bytes[i]);
        asnap_text_bytes(text, escape, 4);
    }
    *columns = 4 * length;
    return length;
}

void asnap_text_name(struct asnap_text *text, const char *name)
{
    size_t size = strlen(name);
    size_t columns = 0;
    for (size_t i = 0; i < size;)
        i += write_character(text, name + i, size - i, &columns);
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
            i += write_character(text, bytes + i, length - i, &width);
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
    char escape[12];
    if (code_point == '"' || code_point == '\\')
        snprintf(escape, sizeof(escape), "\\%c", (char)code_point);
    else
        snprintf(escape, sizeof(escape), "\\u%04x", code_point);
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
        else if (is_unsafe(code_point) || code_point == '"' || code_point == '\\')
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
