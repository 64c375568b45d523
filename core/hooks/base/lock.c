#include "lock.h"

#include <stddef.h>
#include <time.h>

#include "kernel.h"
#include "process.h"

/* A holder keeps the lock for well under a microsecond, unless it was preempted. */
enum {
    SPINS = 100,
    FIRST_WAIT = 50000,
    LONGEST_WAIT = 1000000 /* nanoseconds */,
    LONG_WAITS = 200
};

static const char not_alone = 0;
const char *asnap_single_threaded = &not_alone;

static void mend_nothing(uint32_t *word)
{
    (void)word;
}
void (*asnap_lock_mend)(uint32_t *word) = mend_nothing;

void asnap_lock_init(const char *single_threaded)
{
    if (single_threaded != NULL)
        asnap_single_threaded = single_threaded;
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* Takes the lock where it is free, as `taken`. */
static bool try_lock(uint32_t *word, uint32_t taken)
{
    uint32_t free_word = 0;
    return __atomic_load_n(word, __ATOMIC_RELAXED) == 0 &&
           __atomic_compare_exchange_n(word, &free_word, taken, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

void asnap_lock_wait(uint32_t *word)
{
    for (int spin = 0; spin < SPINS; spin++) {
        if (try_lock(word, 1))
            return;
        pause_briefly();
    }
    struct timespec wait = {.tv_nsec = FIRST_WAIT};
    /* Others may wait as well: who has waited takes the lock as one that is waited for. */
    for (int waits = 0; !try_lock(word, 2); waits++) {
        bool long_wait = waits % LONG_WAITS == LONG_WAITS - 1;
        if (long_wait ? asnap_process_must_be_copy() : asnap_process_is_copy()) {
            asnap_lock_mend(word);
            continue;
        }
        uint32_t held = 1;
        __atomic_compare_exchange_n(word, &held, 2, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        asnap_kernel_wait(word, 2, &wait);
        if (wait.tv_nsec < LONGEST_WAIT)
            wait.tv_nsec *= 2;
    }
}

void asnap_lock_wake(uint32_t *word)
{
    asnap_kernel_wake(word);
}
