/* Whether this process made the table, or has a copy of it: a child that was forked off has all
 * memory of its parent as it was at one moment, but only one of its threads. Where another one was
 * changing the table at that moment, the change is never ended in the child, nor is the lock opened
 * that is held for it. Holding all locks while the process forks would keep that from happening,
 * but whoever forks holds or wants other locks meanwhile, of libc's and of other libraries', whose
 * owners may allocate. So nothing is done in the parent, and the child mends what it finds.
 *
 * The kernel clears this page in a child that has a copy of the memory (MADV_WIPEONFORK), whatever
 * made it: fork, _Fork, clone. Where the memory is shared (vfork) it is left as it is. */
#ifndef ASNAP_HOOKS_PROCESS_H
#define ASNAP_HOOKS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* As large as the largest page of the processor. */
#if defined(__aarch64__)
#define ASNAP_PROCESS_BYTES 65536
#else
#define ASNAP_PROCESS_BYTES 4096
#endif

enum asnap_process_state {
    ASNAP_PROCESS_NEW = 0, /* it has not begun, or is a child that has not mended its copy */
    ASNAP_PROCESS_MENDING,
    ASNAP_PROCESS_GOOD,
};

/* What holds for this process alone. */
struct asnap_process {
    uint32_t obeyed; /* the sequence of the request that was obeyed last; 0: none */
    uint32_t state;  /* asnap_process_state */
    uint32_t number; /* the kernel's, of the process that wrote this page last; 0: none has */
    uint32_t awaits; /* not 0: its first thread has yet to learn that it has another number */
} __attribute__((aligned(ASNAP_PROCESS_BYTES)));

extern struct asnap_process asnap_process;

/* Begins, where this process has not. */
void asnap_process_begin(void);

/* To be called by libc in a child: the kernel may not know how to clear the page, or stand behind
 * an emulator that says it does and does not. */
void asnap_process_notice(void);

/* Whether this process has a copy of its parent's table that has not been mended. */
bool asnap_process_is_copy(void);

/* The same for a thread that has waited for a lock, and waits longer than any is held: where the
 * kernel cannot clear the page, that and another process number show it too. */
bool asnap_process_must_be_copy(void);

/* Whether the calling thread is the process's first: in a child the one that forked. */
bool asnap_process_is_first_thread(void);

/* Whether the caller is to mend it, and then call asnap_process_mended. A thread that comes
 * meanwhile, which asnap_process_is_copy does not tell of it, waits for that. */
bool asnap_process_mend(void);

/* `awaits`: the first thread does not know yet that it is in another process, and must come by. */
void asnap_process_mended(bool awaits);

/* Whether that is so; until then no request counts as obeyed, so that every call comes by. */
static inline bool asnap_process_awaits_first(void)
{
    return __atomic_load_n(&asnap_process.awaits, __ATOMIC_RELAXED) != 0;
}

/* For the first thread to call when it has come. */
void asnap_process_has_first(void);

#endif
