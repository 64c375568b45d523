/* Growing lists of numbers for the sections of a report. */
#ifndef ASNAP_EXPORT_REPORT_LIST_H
#define ASNAP_EXPORT_REPORT_LIST_H

#include "error.h"

/* All zero is an empty list; free `numbers`. */
struct asnap_report_list {
    uint32_t *numbers;
    size_t count;
    size_t capacity;
};

struct asnap_error *asnap_report_list_add(struct asnap_report_list *list, uint32_t number);

/* Adds 64 bits as two numbers, the low ones first. */
struct asnap_error *asnap_report_list_add_wide(struct asnap_report_list *list, uint64_t number);

#endif
