/* A mutex that needs nothing of libc: its word is 0 when free, 1 when held, 2 when
 * held and waited for. It is part of the table, where a reader sees it. */
#ifndef ASNAP_HOOKS_LOCK_H
#define ASNAP_HOOKS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

void asnap_lock_wait(uint32_t *word);
void asnap_lock_wake(uint32_t *word);

static inline void asnap_lock(uint32_t *word)
{
    uint32_t free_word = 0;
    if (!__atomic_compare_exchange_n(word, &free_word, 1, false, __ATOMIC_ACQUIRE,
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
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
        asnap_lock_wake(word);
}

#endif
