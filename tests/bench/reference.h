/* What the references do with a stack whose frame pointers were followed. */
#ifndef ALLOCSNAP_BENCH_REFERENCE_H
#define ALLOCSNAP_BENCH_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* As asnap_stacks_intern. */
uint32_t reference_intern(const uint64_t *return_addresses, size_t count, uint32_t omitted);

#endif
