/* Names as people want to see them. */
#include <stdlib.h>
#include <string.h>

#include "shown_names.h"
#include "test_model_heap.h"

static void expect_short(const char *name, const char *expected)
{
    char *shortened = NULL;
    ASNAP_ASSERT_OK(asnap_short_function(name, &shortened));
    CU_ASSERT_STRING_EQUAL(shortened, expected);
    free(shortened);
}

ASNAP_TEST(render_shown, short_functions)
{
    expect_short("main", "main");
    expect_short("", "");
    expect_short("int shop::twice<int>(int)", "shop::twice");
    expect_short("std::vector<int, std::allocator<int> >::push_back(int const&)",
                 "std::vector::push_back");
    expect_short("operator new(unsigned long)", "operator new");
    expect_short("a::B<int>::operator<(a::B<int> const&) const", "a::B::operator<");
    expect_short("a::operator<< <char>(int)", "a::operator<<");
    expect_short("F::operator()(int) const", "F::operator()");
    expect_short("A<int ()>& A<int ()>::operator=<main::$_0, void>(main::$_0&&)", "A::operator=");
    expect_short("bool operator< <int>(A<int>, A<int>)", "operator<");
    expect_short("F::operator()<int>(int) const", "F::operator()");
    expect_short("P::operator->() const", "P::operator->");
    expect_short("P::operator->*<int>(int)", "P::operator->*");
    expect_short("auto operator<=><char>(char)", "operator<=>");
    expect_short("V::operator[](unsigned long)", "V::operator[]");
    expect_short("operator new[](unsigned long)", "operator new[]");
    expect_short("F::operator std::string() const", "F::operator std::string");
    expect_short("(anonymous namespace)::f(int)", "(anonymous namespace)::f");
    expect_short("main::{lambda(int)#1}::operator()(int) const",
                 "main::{lambda(int)#1}::operator()");
    expect_short("f(int)::{lambda()#1}::operator()() const", "f::{lambda()#1}::operator()");
    expect_short("f(int) [clone .cold]", "f");
    expect_short("<a::deep::P<u32> as b::Q>::hold", "<a::deep::P<u32> as b::Q>::hold");
    expect_short("a::f::<u32>", "a::f");
    expect_short("f<(A)1>(int", "f<(A)1>(int");
    expect_short("my_operator(int)", "my_operator");
}

ASNAP_TEST(render_shown, moved_paths)
{
    static const struct asnap_path_rule rules[] = {{"/build", "/mine"}, {"/build/x", "/no"}};
    const struct asnap_render_options options = {.path_rules = rules, .path_rule_count = 2};
    char *moved = NULL;
    ASNAP_ASSERT_OK(asnap_moved_path(&options, "/build/x/a.c", &moved));
    CU_ASSERT_STRING_EQUAL(moved, "/mine/x/a.c");
    free(moved);
    ASNAP_ASSERT_OK(asnap_moved_path(&options, "/builder/a.c", &moved));
    CU_ASSERT_PTR_NULL(moved);
    ASNAP_ASSERT_OK(asnap_moved_path(NULL, "/build/a.c", &moved));
    CU_ASSERT_PTR_NULL(moved);
}

#define LINES                                                                                      \
    {                                                                                              \
        {.size = 4, .count = 1, .stack = {{"/p/a/x.c", "int f<int>(int)", 1, false, 0}}},          \
            {.size = 3, .count = 1, .stack = {{"/p/b/x.c", "g", 2, false, 0}}},                    \
            {.size = 2, .count = 1, .stack = {{"/p/b/xx.c", NULL, 3, false, 0}}},                  \
        {                                                                                          \
            .size = 1, .count = 1, .stack = { {"/p/b/x.c", "g", 4, false, 0} }                     \
        }                                                                                          \
    }

static struct asnap_error *render(char **text)
{
    static const struct heap_blocks blocks[] = LINES;
    static const struct asnap_path_rule rules[] = {{"/p", "/nonexistent"}};
    const struct asnap_render_options options = {.source_lines = true,
                                                 .path_rules = rules,
                                                 .path_rule_count = 1,
                                                 .short_names = true,
                                                 .short_paths = true};
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = heap_try(blocks, 4, NULL, &snapshot);
    if (error == NULL)
        error = asnap_statistics_create(snapshot, ASNAP_KEY_LINENO, false, &statistics);
    if (error == NULL)
        error = asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, text);
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(render_shown, short_paths_tell_the_rows_apart)
{
    char *text = NULL;
    ASNAP_ASSERT_OK(render(&text));
    CU_ASSERT_STRING_EQUAL(text, "4 lines, by size\n"
                                 "#1: a/x.c:1: size=4 B, count=1, average=4 B, in f\n"
                                 "#2: b/x.c:2: size=3 B, count=1, average=3 B, in g\n"
                                 "#3: xx.c:3: size=2 B, count=1, average=2 B\n"
                                 "#4: b/x.c:4: size=1 B, count=1, average=1 B, in g\n"
                                 "Total: size=10 B, count=4\n");
    asnap_string_destroy(text);
}

static struct asnap_error *try_render(void *context)
{
    (void)context;
    char *text = NULL;
    struct asnap_error *error = render(&text);
    asnap_string_destroy(text);
    return error;
}

ASNAP_TEST(render_shown, survives_every_failed_allocation)
{
    CU_ASSERT(asnap_unit_sweep(try_render, NULL) > 20);
}
