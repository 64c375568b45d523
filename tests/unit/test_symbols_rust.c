/* Names of Rust functions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "unit.h"

static void expect_name(const char *symbol, const char *expected)
{
    char *name = NULL;
    ASNAP_ASSERT_OK(asnap_demangle(symbol, &name));
    CU_ASSERT_STRING_EQUAL(name, expected);
    free(name);
}

ASNAP_TEST(symbols_rust, both_forms)
{
    expect_name("_ZN4core3fmt9Formatter3pad17h05af221e174051e9E", "core::fmt::Formatter::pad");
    expect_name("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17"
                "h930b740aa94f1d3aE",
                "<Test + 'static as foo::Bar<Test>>::bar");
    expect_name("_RNvMNtCs6xxl1lAjzDf_1a4deepINtB2_1PmE4holdB4_", "<a::deep::P<u32>>::hold");
}

ASNAP_TEST(symbols_rust, what_is_none_stays)
{
    expect_name("_R", "_R");
    expect_name("_RNv", "_RNv");
    expect_name("_Rename", "_Rename");
    /* C++: no hash has one digit only. */
    expect_name("_ZN3foo17h1111111111111111E", "foo::h1111111111111111");
}

/* Writes a back reference to a place in the symbol, counted from behind "_R". */
static void refer(char *symbol, size_t place)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char text[16];
    size_t at = sizeof(text) - 1;
    text[at] = '\0';
    for (size_t rest = place - 1, first = 1; first != 0 || rest > 0; rest /= 62, first = 0)
        text[--at] = digits[rest % 62];
    snprintf(symbol + strlen(symbol), 24, "B%s_", text + at);
}

ASNAP_TEST(symbols_rust, a_name_that_doubles_itself_is_given_up)
{
    char symbol[2048] = "_RINvC1a1fTuuE";
    size_t last = strlen("INvC1a1f");
    for (size_t i = 0; i < 60; i++) {
        size_t place = strlen(symbol) - 2;
        strcat(symbol, "T");
        refer(symbol, last);
        refer(symbol, last);
        strcat(symbol, "E");
        last = place;
    }
    strcat(symbol, "E");
    expect_name(symbol, symbol);
    /* A few of them are a name. */
    expect_name("_RINvC1a1fTuuETB7_B7_EE", "a::f::<((), ()), (((), ()), ((), ()))>");
}

static struct asnap_error *try_name(void *symbol)
{
    char *name = NULL;
    struct asnap_error *error = asnap_demangle(symbol, &name);
    free(name);
    return error;
}

ASNAP_TEST(symbols_rust, survives_every_failed_allocation)
{
    char symbol[] = "_RNvMNtCs6xxl1lAjzDf_1a4deepINtB2_1PmE4holdB4_";
    CU_ASSERT(asnap_unit_sweep(try_name, symbol) >= 3);
}
