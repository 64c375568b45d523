#include "report_list.h"

#include "grow.h"

struct asnap_error *asnap_report_list_add(struct asnap_report_list *list, uint32_t number)
{
    uint32_t *grown =
        asnap_grow(list->numbers, &list->capacity, list->count + 1, sizeof(*list->numbers));
    if (grown == NULL)
        return asnap_error_no_memory();
    list->numbers = grown;
    list->numbers[list->count++] = number;
    return NULL;
}

struct asnap_error *asnap_report_list_add_wide(struct asnap_report_list *list, uint64_t number)
{
    struct asnap_error *error = asnap_report_list_add(list, (uint32_t)number);
    return error != NULL ? error : asnap_report_list_add(list, (uint32_t)(number >> 32));
}
