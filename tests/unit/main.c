#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct asnap_unit_test *tests;

void asnap_unit_register(struct asnap_unit_test *test)
{
    struct asnap_unit_test **place = &tests;
    while (*place != NULL)
        place = &(*place)->next;
    *place = test;
}

bool asnap_unit_ok(struct asnap_error *error, const char *file, int line)
{
    if (error == NULL)
        return true;
    fprintf(stderr, "%s:%d: %s\n", file, line, asnap_error_message(error));
    asnap_error_destroy(error);
    return false;
}

bool asnap_unit_error(struct asnap_error *error, enum asnap_error_code code, const char *file,
                      int line)
{
    if (error == NULL) {
        fprintf(stderr, "%s:%d: expected an error, got success\n", file, line);
        return false;
    }
    bool same = asnap_error_code(error) == code;
    if (!same)
        fprintf(stderr, "%s:%d: another error: %s\n", file, line, asnap_error_message(error));
    asnap_error_destroy(error);
    return same;
}

/* A test that was left in the middle of a sweep takes nothing from the next one. */
static void set_up(void)
{
    asnap_unit_fail_after(-1);
}

/* One line for each assertion that failed, which tests/run.py repeats at its end. */
static void name_failures(void)
{
    for (CU_pFailureRecord failure = CU_get_failure_list(); failure != NULL;
         failure = failure->pNext)
        printf("failed: %s %s: %s:%u: %s\n", failure->pSuite == NULL ? "" : failure->pSuite->pName,
               failure->pTest == NULL ? "" : failure->pTest->pName, failure->strFileName,
               failure->uiLineNumber, failure->strCondition);
}

/* Runs all tests, or those whose suite is named by an argument. */
int main(int argc, char **argv)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    for (struct asnap_unit_test *test = tests; test != NULL; test = test->next) {
        bool wanted = argc < 2;
        for (int i = 1; i < argc; i++)
            wanted = wanted || strcmp(argv[i], test->suite) == 0;
        if (!wanted)
            continue;
        CU_pSuite suite = CU_get_suite(test->suite);
        if (suite == NULL)
            suite = CU_add_suite_with_setup_and_teardown(test->suite, NULL, NULL, set_up, NULL);
        if (suite == NULL || CU_add_test(suite, test->name, test->run) == NULL)
            return 1;
    }
    /* Whatever ends this process, the last line says in which test. */
    setvbuf(stdout, NULL, _IONBF, 0);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    name_failures();
    unsigned failures = CU_get_number_of_failures();
    unsigned run = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failures == 0 && run > 0 ? 0 : 1;
}
