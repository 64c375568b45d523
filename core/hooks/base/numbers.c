#include "numbers.h"

#include <stddef.h>
#include <string.h>

bool asnap_parse_digits(const char *text, const char *end, uint64_t *number)
{
    uint64_t sum = 0;
    for (const char *digit = text; digit < end; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*digit - '0'), &sum))
            return false;
    }
    *number = sum;
    return end > text;
}

bool asnap_parse_bytes(const char *text, const char *end, uint64_t *bytes)
{
    static const char suffixes[] = "KMG";
    const char *suffix = end > text ? strchr(suffixes, end[-1]) : NULL;
    uint64_t number;
    unsigned shift = 0;
    if (suffix != NULL) {
        end--;
        shift = 10 * (unsigned)(suffix - suffixes + 1);
    }
    if (!asnap_parse_digits(text, end, &number) || number > UINT64_MAX >> shift)
        return false;
    *bytes = number << shift;
    return true;
}
