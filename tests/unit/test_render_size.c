#include <string.h>

#include "unit.h"

static const char *size_text(int64_t size, bool sign)
{
    static char text[32];
    asnap_format_size(size, sign, text, sizeof(text));
    return text;
}

ASNAP_TEST(render_size, changes_units_where_tracemalloc_does)
{
    CU_ASSERT_STRING_EQUAL(size_text(0, false), "0 B");
    CU_ASSERT_STRING_EQUAL(size_text(99, false), "99 B");
    CU_ASSERT_STRING_EQUAL(size_text(10239, false), "10239 B");
    CU_ASSERT_STRING_EQUAL(size_text(10240, false), "10.0 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(100 * 1024 - 52, false), "99.9 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(100 * 1024 - 51, false), "100.0 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(100 * 1024, false), "100 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(10 * 1024 * 1024 - 1, false), "10240 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(10 * 1024 * 1024, false), "10.0 MiB");
    CU_ASSERT_STRING_EQUAL(size_text(INT64_C(10) << 30, false), "10.0 GiB");
    CU_ASSERT_STRING_EQUAL(size_text(INT64_C(10) << 40, false), "10.0 TiB");
    CU_ASSERT_STRING_EQUAL(size_text(INT64_C(20000) << 40, false), "20000 TiB");
    CU_ASSERT_STRING_EQUAL(size_text(INT64_MAX, false), "8388608 TiB");
}

ASNAP_TEST(render_size, signs)
{
    CU_ASSERT_STRING_EQUAL(size_text(0, true), "+0 B");
    CU_ASSERT_STRING_EQUAL(size_text(5, true), "+5 B");
    CU_ASSERT_STRING_EQUAL(size_text(-5, true), "-5 B");
    CU_ASSERT_STRING_EQUAL(size_text(-5, false), "-5 B");
    CU_ASSERT_STRING_EQUAL(size_text(-10240, false), "-10.0 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(1258291, true), "+1229 KiB");
    CU_ASSERT_STRING_EQUAL(size_text(INT64_MIN, true), "-8388608 TiB");
}

ASNAP_TEST(render_size, always_terminates)
{
    char text[4] = "xxx";
    asnap_format_size(10239, false, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "102");
    asnap_format_size(1, false, text, 0);
    CU_ASSERT_STRING_EQUAL(text, "102");
}
