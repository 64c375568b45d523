/* core/base/reserve.c: what is given back is given out again, as far as it is large enough. */
#include <stdlib.h>

#include "error.h"
#include "reserve.h"
#include "unit.h"

#define LARGE ((size_t)4 << 20)

ASNAP_TEST(reserve, gives_out_what_it_took_back)
{
    char *first = asnap_reserve_take(LARGE, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    first[LARGE - 1] = 'x';
    asnap_reserve_give(first);
    char *second = asnap_reserve_take(LARGE / 2, 1);
    CU_ASSERT_PTR_EQUAL(second, first);
    CU_ASSERT_EQUAL(second[LARGE - 1], 'x');
    /* It has one only. */
    char *third = asnap_reserve_take(LARGE, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    CU_ASSERT_PTR_NOT_EQUAL(third, second);
    third[LARGE - 1] = 'y';
    asnap_reserve_give(second);
    asnap_reserve_give(third);
    CU_ASSERT_PTR_EQUAL(asnap_reserve_take(LARGE, 1), third);
    asnap_reserve_give(third);
}

ASNAP_TEST(reserve, too_small_or_too_many)
{
    asnap_reserve_give(asnap_reserve_take(LARGE, 1));
    char *larger = asnap_reserve_take(8 * LARGE, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(larger);
    larger[8 * LARGE - 1] = 'z';
    free(larger);
    CU_ASSERT_PTR_NULL(asnap_reserve_take(SIZE_MAX / 8, 16));
    asnap_reserve_give(NULL);
    char *small = asnap_reserve_take(3, 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(small);
    asnap_reserve_give(small);
}

static struct asnap_error *take(void *context)
{
    (void)context;
    void *array = asnap_reserve_take(LARGE, 1);
    if (array == NULL)
        return asnap_error_no_memory();
    free(array);
    return NULL;
}

ASNAP_TEST(reserve, survives_a_failed_allocation)
{
    asnap_reserve_give(asnap_reserve_take(LARGE, 1));
    free(asnap_reserve_take(LARGE, 1));
    CU_ASSERT_EQUAL(asnap_unit_sweep(take, NULL), 1);
}
