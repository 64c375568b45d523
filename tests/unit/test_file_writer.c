/* Numbers in decimal digits. */
#include <inttypes.h>
#include <stdio.h>

#include "file_writer.h"
#include "unit.h"

static void check(uint64_t number)
{
    char expected[ASNAP_DIGITS + 1];
    char put[ASNAP_DIGITS + 1];
    snprintf(expected, sizeof(expected), "%" PRIu64, number);
    *asnap_put_number(put, number) = '\0';
    CU_ASSERT_STRING_EQUAL(put, expected);
}

ASNAP_TEST(file_writer, numbers)
{
    uint64_t power = 1;
    for (int digits = 1; digits <= ASNAP_DIGITS; digits++) {
        check(power - 1);
        check(power);
        check(power + 1);
        if (digits < ASNAP_DIGITS)
            power *= 10;
    }
    check(UINT64_MAX);
    for (int bits = 0; bits < 64; bits++) {
        check(UINT64_C(1) << bits);
        check((UINT64_C(1) << bits) - 1);
    }
    for (uint64_t number = 0; number < 20000; number++)
        check(number);
}
