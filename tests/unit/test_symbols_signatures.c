/* Names of functions that have no linkage name, of a small library of gcc's
 * (tests/fuzz/specimen_overloads.cc). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define BASE UINT64_C(0x7f0000000000)
#define CODE UINT64_C(0x260)

enum { ADDRESSES = 360 };

/* The path of the library, which is built beside this program. */
static const char *specimen(void)
{
    static char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
    CU_ASSERT_FATAL(length > 0);
    path[length] = '\0';
    char *end = strrchr(path, '/');
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    snprintf(end, sizeof(path) - (size_t)(end - path), "/fuzz/specimens/overloads_5");
    CU_ASSERT_EQUAL_FATAL(access(path, R_OK), 0);
    return path;
}

/* Names each byte of the library's code. */
static struct asnap_error *name_all(struct asnap_named_pc *names,
                                    struct asnap_symbolizer **symbolizer)
{
    const struct asnap_region region = {.start = BASE, .end = BASE + 0x100000, .path = specimen()};
    uint64_t addresses[ADDRESSES];
    for (size_t i = 0; i < ADDRESSES; i++)
        addresses[i] = BASE + CODE + 1 + i;
    struct asnap_error *error = asnap_symbolizer_create("", symbolizer);
    if (error == NULL)
        error = asnap_symbolizer_set_regions(*symbolizer, NULL, &region, 1);
    if (error == NULL)
        error = asnap_symbolizer_name(*symbolizer, addresses, ADDRESSES, NULL, names);
    return error;
}

ASNAP_TEST(symbols_signatures, each_overload_has_a_name)
{
    static const char *const wanted[] = {
        "add(long)",
        "add(char const* const*)",
        "add(outer::Pair<long>&, unsigned long)",
        "add(outer::Kind, void (*)(int, char const*))",
        "add(outer::(anonymous namespace)::Box const&)",
        "add(?) at line 48",
        "outer::(anonymous namespace)::Box::hold(int) const",
        "outer::(anonymous namespace)::Box::hold(int)",
        "void add_all<char>(char)",
        "void add_all<long, char>(long, char)",
    };
    enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };
    static struct asnap_named_pc names[ADDRESSES];
    struct asnap_symbolizer *symbolizer = NULL;
    bool found[WANTED] = {false};
    ASNAP_ASSERT_OK(name_all(names, &symbolizer));
    for (size_t i = 0; i < ADDRESSES; i++) {
        for (size_t f = 0; f < names[i].frame_count; f++) {
            const char *function = names[i].frames[f].function;
            for (size_t w = 0; w < WANTED; w++)
                found[w] |= function != NULL && strcmp(function, wanted[w]) == 0;
        }
    }
    for (size_t w = 0; w < WANTED; w++) {
        if (!found[w])
            fprintf(stderr, "not found: %s\n", wanted[w]);
        CU_ASSERT(found[w]);
    }
    asnap_symbolizer_destroy(symbolizer);
}

static struct asnap_error *name_once(void *context)
{
    static struct asnap_named_pc names[ADDRESSES];
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_error *error = name_all(names, &symbolizer);
    (void)context;
    asnap_symbolizer_destroy(symbolizer);
    return error;
}

ASNAP_TEST(symbols_signatures, every_allocation_may_fail)
{
    CU_ASSERT(asnap_unit_sweep(name_once, NULL) > 100);
}
