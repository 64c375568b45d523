#include "unit.h"
#include "utf8.h"

ASNAP_TEST(model_utf8, order_is_that_of_code_points)
{
    /* Ascending. The bytes 0x80 and 0xff stand for U+DC80 and U+DCFF. */
    static const char *const names[] = {
        "",      "a",     "a\xc3\xa9", "a\xc3\xa9z",    "a\xed\x9f\xbf",
        "a\x80", "a\xc3", "a\xff",     "a\xee\x80\x80", "a\xf0\x9f\x90\x8d",
        "b"};
    size_t count = sizeof(names) / sizeof(names[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int expected = (i > j) - (i < j);
            CU_ASSERT_EQUAL(asnap_utf8_compare(names[i], names[j]), expected);
        }
    }
}
