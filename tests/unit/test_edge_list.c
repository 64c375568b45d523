/* Pointers in pieces, and joined. */
#include <stdlib.h>

#include "edge_list.h"
#include "error.h"
#include "unit.h"

/* Each edge has another value. */
static uint32_t edge_of(size_t place)
{
    return (uint32_t)(place * 2654435761u);
}

static struct asnap_error *make(size_t count, uint32_t **joined)
{
    struct asnap_edge_list list = {0};
    bool added = true;
    for (size_t i = 0; added && i < count; i++)
        added = asnap_edge_list_add(&list, edge_of(i));
    CU_ASSERT(!added || asnap_edge_list_count(&list) == count);
    *joined = added ? asnap_edge_list_join(&list) : NULL;
    asnap_edge_list_deinit(&list);
    return *joined == NULL ? asnap_error_no_memory() : NULL;
}

/* Of none, of one piece, and of several, whose last is full, all but empty or full but for one. */
ASNAP_TEST(edge_list, edges_are_joined_in_order)
{
    static const size_t counts[] = {0, 1, 17, 1000, 2500000, 5000000, 10000001};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        uint32_t *joined;
        int64_t before = asnap_unit_live();
        asnap_unit_most();
        ASNAP_ASSERT_OK(make(counts[i], &joined));
        CU_ASSERT(asnap_unit_most() - before <= 8 * (int64_t)counts[i] + 4096);
        CU_ASSERT(asnap_unit_live() - before <= 4 * (int64_t)counts[i] + 4096);
        size_t wrong = 0;
        for (size_t j = 0; j < counts[i]; j++)
            wrong += joined[j] != edge_of(j);
        CU_ASSERT_EQUAL(wrong, 0);
        free(joined);
        CU_ASSERT_EQUAL(asnap_unit_live(), before);
    }
}

static struct asnap_error *make_many(void *context)
{
    uint32_t *joined;
    struct asnap_error *error = make(*(size_t *)context, &joined);
    free(joined);
    return error;
}

ASNAP_TEST(edge_list, short_memory_is_reported_at_each_step)
{
    size_t count = 4700000;
    int64_t before = asnap_unit_live();
    CU_ASSERT(asnap_unit_sweep(make_many, &count) > 20);
    CU_ASSERT_EQUAL(asnap_unit_live(), before);
}
