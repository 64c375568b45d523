/* A mutex that needs nothing of libc: its word is 0 when free, 1 when held, 2 when
 * held and waited for. It is part of the table, where a reader sees it.
 *
 * Opening it is a load and a store, which cost next to nothing where an exchange costs
 * as much as taking the lock. A thread that begins to wait between the two is not seen
 * and not woken. That is harmless: the word is 0 after the store whatever the waiting
 * thread made of it, so nothing is held for ever, and no thread waits for a call alone,
 * but only for so long before it looks again. A waiting thread sleeps, so a holder with
 * less of a priority comes on.
 *
 * A lock whose holder is not in this process, since it was forked off meanwhile (process.h), is an
 * orphan: what it protects must be mended before it is opened. */
#ifndef ASNAP_HOOKS_LOCK_H
#define ASNAP_HOOKS_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not 0 while the process has one thread: libc's __libc_single_threaded (glibc 2.32), or a
 * byte that stays 0. */
extern const char *asnap_single_threaded;

/* Tells where that is; NULL: libc has none. */
void asnap_lock_init(const char *single_threaded);

/* Whether no other thread can be at work on the same memory, so that what otherwise takes
 * an atomic exchange can be done in two steps. A thread can only be made outside the hooks.
 * For the reader the order of stores is enough. */
static inline bool asnap_is_alone(void)
{
    return *asnap_single_threaded != 0;
}

/* Mends what a lock protects, and opens it, where it is an orphan that this thread waits for. */
extern void (*asnap_lock_mend)(uint32_t *word);

/* Whether a lock is an orphan: held by a thread that the child of a fork does not have. `only`:
 * the lock that is to be mended, NULL for all. A lock that the calling thread holds
 * itself looks the same. */
static inline bool asnap_lock_is_orphan(const uint32_t *word, const uint32_t *only)
{
    return (only == NULL || only == word) && __atomic_load_n(word, __ATOMIC_RELAXED) != 0;
}

void asnap_lock_wait(uint32_t *word);
void asnap_lock_wake(uint32_t *word);

static inline void asnap_lock(uint32_t *word)
{
    uint32_t free_word = 0;
    if (asnap_is_alone() && __atomic_load_n(word, __ATOMIC_RELAXED) == 0) {
        __atomic_store_n(word, 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } else if (!__atomic_compare_exchange_n(word, &free_word, 1, false, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
        asnap_lock_wait(word);
}

static inline bool asnap_trylock(uint32_t *word)
{
    uint32_t free_word = 0;
    return __atomic_compare_exchange_n(word, &free_word, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline void asnap_unlock(uint32_t *word)
{
    bool waited_for = __atomic_load_n(word, __ATOMIC_RELAXED) == 2;
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
    if (__builtin_expect(waited_for, 0))
        asnap_lock_wake(word);
}

#endif
