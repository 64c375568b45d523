#include "pattern.h"
#include "unit.h"

static bool matches(const char *text, const char *name)
{
    struct asnap_pattern pattern = {0};
    bool result = false;
    ASNAP_ASSERT_OK(asnap_pattern_init(&pattern, text));
    ASNAP_ASSERT_OK(asnap_pattern_match(&pattern, name, &result));
    asnap_pattern_deinit(&pattern);
    return result;
}

ASNAP_TEST(model_pattern, stars_and_question_marks)
{
    CU_ASSERT(matches("", ""));
    CU_ASSERT(!matches("", "a"));
    CU_ASSERT(matches("*", ""));
    CU_ASSERT(matches("**a**", "a"));
    CU_ASSERT(matches("/src/*.c", "/src/deep/er/x.c"));
    CU_ASSERT(!matches("/src/*.c", "/src/x.cc"));
    CU_ASSERT(matches("*ab*ab", "abababab"));
    CU_ASSERT(!matches("*ab*abc*", "abababab"));
    CU_ASSERT(matches("a?c", "a\nc"));
    CU_ASSERT(!matches("a?c", "ac"));
    CU_ASSERT(matches("?", "\xf0\x9f\x90\x8d"));
    CU_ASSERT(matches("??", "\xff\xc3"));
    CU_ASSERT(matches("\\*", "\\x"));
    CU_ASSERT(!matches("\\*", "*"));
}

ASNAP_TEST(model_pattern, sets)
{
    CU_ASSERT(matches("[abc]", "b"));
    CU_ASSERT(!matches("[abc]", "d"));
    CU_ASSERT(!matches("[!abc]", "b"));
    CU_ASSERT(matches("[!abc]", "d"));
    CU_ASSERT(!matches("[!abc]", ""));
    CU_ASSERT(matches("[a-c]", "b"));
    CU_ASSERT(!matches("[a-c]", "-"));
    CU_ASSERT(matches("[a-]", "-"));
    CU_ASSERT(matches("[-a]", "-"));
    CU_ASSERT(matches("[a-c-e]", "-"));
    CU_ASSERT(!matches("[a-c-e]", "d"));
    CU_ASSERT(matches("[]-a]", "_"));
    CU_ASSERT(matches("[^a]", "^"));
    CU_ASSERT(matches("[]]", "]"));
    CU_ASSERT(matches("[!]]", "x"));
    CU_ASSERT(matches("[\xc3\xa0-\xc3\xaf]", "\xc3\xa9"));
    CU_ASSERT(matches("x[a/]y", "x/y"));
}

ASNAP_TEST(model_pattern, sets_that_are_none)
{
    CU_ASSERT(matches("[", "["));
    CU_ASSERT(matches("[]", "[]"));
    CU_ASSERT(matches("[!]", "[!]"));
    CU_ASSERT(matches("a[b", "a[b"));
    CU_ASSERT(!matches("[b-a]", "a"));
    CU_ASSERT(!matches("[b-a]", "-"));
    CU_ASSERT(matches("[!b-a]", "-"));
}

ASNAP_TEST(model_pattern, pyc_is_py)
{
    CU_ASSERT(matches("x.pyc", "x.py"));
    CU_ASSERT(matches("x.py", "x.pyc"));
    CU_ASSERT(matches("*.pyc", "x.pyc"));
    CU_ASSERT(!matches("*.pyo", "x.pyc"));
}
