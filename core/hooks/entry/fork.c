#include "fork.h"

#include <stddef.h>

#include "gate.h"
#include "history.h"
#include "libc.h"
#include "loaded_modules.h"
#include "lock.h"
#include "module_list.h"
#include "process.h"
#include "records.h"
#include "root.h"
#include "sampler.h"
#include "stacks.h"
#include "thread.h"
#include "thread_numbers.h"
#include "walker_pool.h"
#include "watch.h"
#include "watched_count.h"

/* All locks, or the one that this thread waits for, while it may hold others. */
static void mend(const uint32_t *only)
{
    asnap_root_mend(only);
    asnap_modules_mend(only);
    asnap_records_mend(only);
    asnap_history_mend(only);
    asnap_thread_numbers_mend(only);
    asnap_stacks_mend(only);
    asnap_module_list_mend(only);
    asnap_walker_pool_mend(only);
}

/* The fork was in a handler that has interrupted a hook, which goes on in the child as well: it
 * holds locks, and may need one that is an orphan before it is through. */
static void mend_one(uint32_t *lock)
{
    mend(lock);
}

/* The calling thread has another number than it had in the parent. */
static void be_another_thread(void)
{
    asnap_thread_number_forget();
    asnap_sampler_forget();
}

static void mend_all(void)
{
    bool is_first = asnap_process_is_first_thread();
    /* Not every way to fork calls handlers (_Fork), and another library's may start threads before
     * this one's is called. */
    bool awaits = !is_first && !asnap_walker_pool_has_notice();
    mend(NULL);
    if (is_first) {
        asnap_gate_mend();
        be_another_thread();
    }
    /* Another thread may have been about to. */
    if (asnap_watch_limit(ASNAP_TABLE_WATCH_COUNT) != 0)
        asnap_watched_count_look();
    asnap_process_mended(awaits);
}

void asnap_fork_mend(void)
{
    if (asnap_process_mend())
        mend_all();
    if (asnap_process_awaits_first() && asnap_process_is_first_thread()) {
        be_another_thread();
        asnap_process_has_first();
    }
}

/* For libc to call in a child, on the thread that forked. */
static void notice(void)
{
    asnap_process_notice();
    if (asnap_process_is_copy()) {
        asnap_walker_pool_notice();
        be_another_thread();
    }
}

__attribute__((constructor)) static void begin(void)
{
    asnap_lock_mend = mend_one;
    /* What libc takes for it is not the program's. */
    enum asnap_activity activity = asnap_thread.activity;
    asnap_thread.activity = ASNAP_OWN;
    asnap_libc_in_children(notice);
    asnap_thread.activity = activity;
}
