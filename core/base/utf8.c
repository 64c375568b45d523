#include "utf8.h"

#include <string.h>

size_t asnap_utf8_decode(const char *bytes, size_t size, uint32_t *code_point)
{
    if (size == 0)
        return 0;
    unsigned char first = (unsigned char)bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || length > size || first > 0xf4)
        return 0;
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = first & first_bits[length];
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return length;
}

size_t asnap_utf8_decode_name(const char *bytes, size_t size, uint32_t *code_point)
{
    size_t length = asnap_utf8_decode(bytes, size, code_point);
    if (length != 0)
        return length;
    *code_point = 0xdc00u + (unsigned char)bytes[0];
    return 1;
}

int asnap_utf8_compare(const char *left, const char *right)
{
    while (*left == *right && (unsigned char)*left < 0x80) {
        if (*left == '\0')
            return 0;
        left++;
        right++;
    }
    /* With their NULs, so that neither ends within a character. */
    size_t left_size = strlen(left) + 1;
    size_t right_size = strlen(right) + 1;
    while (left_size != 0 && right_size != 0) {
        uint32_t left_character;
        uint32_t right_character;
        size_t length = asnap_utf8_decode_name(left, left_size, &left_character);
        asnap_utf8_decode_name(right, right_size, &right_character);
        if (left_character != right_character)
            return left_character < right_character ? -1 : 1;
        left += length;
        right += length;
        left_size -= length;
        right_size -= length;
    }
    return 0;
}
