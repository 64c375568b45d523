#include "printable.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Ends of lines and paragraphs, and what is without a look of its own (Unicode 15.1: general
 * categories Cc, Cf, Zl, Zp). By their first, and sorted. */
static const struct {
    uint32_t first;
    uint32_t last;
} unprintable[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},
    {0x08e2, 0x08e2},   {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

bool asnap_is_printable(uint32_t code_point)
{
    /* Most of it. */
    if (code_point >= 0x20 && code_point < 0x7f)
        return true;
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
        if (code_point <= unprintable[i].last)
            return code_point < unprintable[i].first;
    }
    return true;
}

static bool is_hexadecimal(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
           (character >= 'A' && character <= 'F');
}

/* Whether a backslash and what follows it look like an escape. */
static bool looks_escaped(const char *text, size_t size)
{
    return size >= 4 && text[0] == '\\' && text[1] == 'x' && is_hexadecimal(text[2]) &&
           is_hexadecimal(text[3]);
}

size_t asnap_printable_step(const char *text, size_t size, enum asnap_printable_kind kind,
                            char written[ASNAP_PRINTABLE_BYTES], size_t *length)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t code_point = 0;
    size_t taken = asnap_utf8_decode(text, size, &code_point);
    bool is_plain = taken != 0 && asnap_is_printable(code_point) &&
                    !(kind == ASNAP_PRINTABLE_NAME && looks_escaped(text, size));
    if (is_plain) {
        memcpy(written, text, taken);
        *length = taken;
        return taken;
    }
    if (taken == 0)
        taken = 1;
    for (size_t i = 0; i < taken; i++) {
        unsigned char byte = (unsigned char)text[i];
        const char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 0xf]};
        memcpy(written + 4 * i, escape, sizeof(escape));
    }
    *length = 4 * taken;
    return taken;
}

char *asnap_printable(const char *text, enum asnap_printable_kind kind)
{
    char character[ASNAP_PRINTABLE_BYTES];
    size_t length;
    size_t size = strlen(text);
    size_t needed = 1;
    for (size_t i = 0; i < size; needed += length)
        i += asnap_printable_step(text + i, size - i, kind, character, &length);
    char *made = malloc(needed);
    char *at = made;
    for (size_t i = 0; made != NULL && i < size; at += length) {
        i += asnap_printable_step(text + i, size - i, kind, character, &length);
        memcpy(at, character, length);
    }
    if (made != NULL)
        *at = '\0';
    return made;
}
