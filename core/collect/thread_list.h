/* Threads and what their registers hold, put together from the words that the kernel hands out. */
#ifndef ASNAP_COLLECT_THREAD_LIST_H
#define ASNAP_COLLECT_THREAD_LIST_H

#include "allocsnap_inferior.h"

/* All zero is an empty list. */
struct asnap_thread_list {
    struct asnap_thread *threads;
    size_t count;
    size_t capacity;
    struct asnap_register *registers;
    size_t register_count;
    size_t register_capacity;
};

/* The state that AVX-512 and AMX take is below this, in bytes. */
enum { ASNAP_VECTORS_MAX = 64 << 10 };

/* Adds a thread with the kernel's number of it. What follows is of the thread that was added last.
 * All fail with NO_MEMORY only. */
struct asnap_error *asnap_thread_list_add(struct asnap_thread_list *list, uint64_t number);

/* Takes its general registers: `size` bytes as the kernel has them (struct user_regs_struct on
 * x86-64, struct user_pt_regs on aarch64) of an ELF machine. */
struct asnap_error *asnap_thread_list_general(struct asnap_thread_list *list, uint16_t machine,
                                              const uint8_t *bytes, size_t size);

/* Takes its vector registers: NT_PRFPREG's or NT_X86_XSTATE's bytes. Those of the first sixteen
 * vectors of x86-64 have their names. */
struct asnap_error *asnap_thread_list_vectors(struct asnap_thread_list *list, uint16_t machine,
                                              const uint8_t *bytes, size_t size);

/* Where its thread-local storage is, where the general registers do not have it. */
void asnap_thread_list_storage(struct asnap_thread_list *list, uint64_t pointer);

void asnap_thread_list_deinit(struct asnap_thread_list *list);

#endif
