/* Where the data of a core file ends. */
#ifndef ASNAP_COLLECT_DATA_END_H
#define ASNAP_COLLECT_DATA_END_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* At most so many zeros are looked at, and the stacks of so many threads. */
#define ASNAP_ZEROS_MOST (UINT64_C(1) << 30)
enum { ASNAP_STACKS_MOST = 64 };

/* The stack pointers of a core's threads. */
struct asnap_core_stacks {
    uint64_t pointers[ASNAP_STACKS_MOST];
    size_t count;
};

/* Adds that of a thread, from the `size` bytes of an NT_PRSTATUS note of a program for `machine`
 * (e_machine); does nothing where that is not known, or there are enough. */
void asnap_core_stacks_add(struct asnap_core_stacks *stacks, uint16_t machine, const void *note,
                           size_t size);

/* Where the zeros begin that a core of `size` bytes ends in, if it was cut off and filled up: then
 * it is as long as its program headers say, and a thread's stack is zeros from its pointer on.
 * `size` where it is not so. */
uint64_t asnap_data_end(int file, uint64_t size, const Elf64_Phdr *headers, size_t count,
                        const struct asnap_core_stacks *stacks);

#endif
