#include "process.h"

#include "kernel.h"

struct asnap_process asnap_process;

/* Copied to children, as all other memory. */
static bool begun;
static bool wiped;

void asnap_process_begin(void)
{
    if (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE)) {
        wiped = asnap_kernel_advise(&asnap_process, sizeof(asnap_process), MADV_WIPEONFORK) == 0;
        asnap_process.number = asnap_kernel_process();
        __atomic_store_n(&asnap_process.state, ASNAP_PROCESS_GOOD, __ATOMIC_RELAXED);
        __atomic_store_n(&begun, true, __ATOMIC_RELEASE);
    }
}

bool asnap_process_is_copy(void)
{
    return __atomic_load_n(&begun, __ATOMIC_RELAXED) &&
           __atomic_load_n(&asnap_process.state, __ATOMIC_RELAXED) == ASNAP_PROCESS_NEW;
}

/* Whether the page was copied with the rest: the kernel has not cleared it. */
static bool is_stale(void)
{
    uint32_t number = __atomic_load_n(&asnap_process.number, __ATOMIC_ACQUIRE);
    return number != 0 && number != asnap_kernel_process();
}

static void forget(void)
{
    __atomic_store_n(&asnap_process.obeyed, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&asnap_process.awaits, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&asnap_process.number, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&asnap_process.state, ASNAP_PROCESS_NEW, __ATOMIC_RELEASE);
}

/* Where a handler before this one has started threads, one of them may be mending already. */
void asnap_process_notice(void)
{
    if (is_stale()) {
        wiped = false;
        forget();
    }
}

bool asnap_process_must_be_copy(void)
{
    if (!wiped && is_stale())
        forget();
    return asnap_process_is_copy();
}

bool asnap_process_is_first_thread(void)
{
    return asnap_kernel_thread() == asnap_kernel_process();
}

bool asnap_process_mend(void)
{
    uint32_t state = ASNAP_PROCESS_NEW;
    if (__atomic_compare_exchange_n(&asnap_process.state, &state, ASNAP_PROCESS_MENDING, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    while (state == ASNAP_PROCESS_MENDING) {
        asnap_kernel_yield();
        state = __atomic_load_n(&asnap_process.state, __ATOMIC_ACQUIRE);
    }
    return false;
}

void asnap_process_mended(bool awaits)
{
    __atomic_store_n(&asnap_process.awaits, awaits, __ATOMIC_RELAXED);
    __atomic_store_n(&asnap_process.number, asnap_kernel_process(), __ATOMIC_RELEASE);
    __atomic_store_n(&asnap_process.state, ASNAP_PROCESS_GOOD, __ATOMIC_RELEASE);
}

void asnap_process_has_first(void)
{
    __atomic_store_n(&asnap_process.awaits, 0, __ATOMIC_RELEASE);
}
