/* A test registers itself: ASNAP_TEST(suite, name) { ... CU_ASSERT... }. */
#ifndef ASNAP_UNIT_H
#define ASNAP_UNIT_H

#include <CUnit/CUnit.h>
#include <stddef.h>
#include <stdint.h>

#include "allocsnap.h"

struct asnap_unit_test {
    const char *suite;
    const char *name;
    void (*run)(void);
    struct asnap_unit_test *next;
};

void asnap_unit_register(struct asnap_unit_test *test);

#define ASNAP_TEST(SUITE, NAME)                                                                    \
    static void test_##SUITE##_##NAME(void);                                                       \
    static struct asnap_unit_test entry_##SUITE##_##NAME = {#SUITE, #NAME, test_##SUITE##_##NAME,  \
                                                            NULL};                                 \
    __attribute__((constructor)) static void register_##SUITE##_##NAME(void)                       \
    {                                                                                              \
        asnap_unit_register(&entry_##SUITE##_##NAME);                                              \
    }                                                                                              \
    static void test_##SUITE##_##NAME(void)

/* Passes where `error` is NULL; else fails, prints the message and destroys it. */
#define ASNAP_ASSERT_OK(ERROR) CU_ASSERT_FATAL(asnap_unit_ok((ERROR), __FILE__, __LINE__))
bool asnap_unit_ok(struct asnap_error *error, const char *file, int line);

/* Passes where `error` has this code; destroys it. */
#define ASNAP_ASSERT_ERROR(ERROR, CODE)                                                            \
    CU_ASSERT(asnap_unit_error((ERROR), (CODE), __FILE__, __LINE__))
bool asnap_unit_error(struct asnap_error *error, enum asnap_error_code code, const char *file,
                      int line);

/* ---- forced allocation failures (fail.c) ---- */

/* Lets the next `successes` allocations of the code under test succeed and all
 * later ones fail; negative: none fails. */
void asnap_unit_fail_after(int64_t successes);

/* Whether an allocation has failed since asnap_unit_fail_after. */
bool asnap_unit_failed(void);

/* Runs `step` again and again, with its first, second, third ... allocation
 * failing, until none fails. `step` returns its error (NULL: success) after
 * undoing all it made; each run in which an allocation failed must give
 * NO_MEMORY. Returns how many runs failed. */
size_t asnap_unit_sweep(struct asnap_error *(*step)(void *context), void *context);

/* ---- how much memory the code under test takes (fail.c) ---- */

/* Bytes that it has asked for since the last call, freed or not. */
size_t asnap_unit_requested(void);

/* Bytes in its blocks now, as the allocator rounds them up; and the most that there have been since
 * the last call of asnap_unit_most. To be compared with each other: what libc has allocated for its
 * caller to free is counted when it goes only. */
int64_t asnap_unit_live(void);
int64_t asnap_unit_most(void);

#endif
