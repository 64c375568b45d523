/* The blocks of a report in the order of their stacks and kinds. */
#ifndef ASNAP_EXPORT_REPORT_ORDER_H
#define ASNAP_EXPORT_REPORT_ORDER_H

#include "error.h"

struct asnap_report_block {
    uint64_t size;
    uint32_t kind; /* ASNAP_REPORT_KIND */
    uint32_t stack;
};

/* Sorts `count` blocks, by stack and then by kind. Fails with NO_MEMORY only. */
struct asnap_error *asnap_report_order(struct asnap_report_block **blocks, size_t count);

#endif
