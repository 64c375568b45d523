#include "build_id.h"

#include <string.h>

static unsigned digit_value(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

struct asnap_build_id asnap_build_id_read(const char *text)
{
    struct asnap_build_id build_id = {0};
    size_t length = strlen(text);
    if (length % 2 != 0 || length > 2 * sizeof(build_id.bytes) ||
        strspn(text, "0123456789abcdefABCDEF") != length)
        return build_id;
    for (size_t i = 0; i < length; i += 2)
        build_id.bytes[build_id.size++] =
            (unsigned char)(digit_value(text[i]) << 4 | digit_value(text[i + 1]));
    return build_id;
}

void asnap_build_id_write(const struct asnap_build_id *build_id, char text[ASNAP_BUILD_ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < build_id->size; i++) {
        text[2 * i] = digits[build_id->bytes[i] >> 4];
        text[2 * i + 1] = digits[build_id->bytes[i] & 0xf];
    }
    text[2 * build_id->size] = '\0';
}
