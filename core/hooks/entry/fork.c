/* Lets no other thread be in the table while the process forks: the child would
 * have that thread's locks for ever, and no thread to open them. */
#include <pthread.h>
#include <stdbool.h>

#include "control.h"
#include "loaded_modules.h"
#include "module_list.h"
#include "records.h"
#include "stacks.h"
#include "thread.h"
#include "thread_numbers.h"
#include "trace.h"
#include "traced.h"

/* A fork in a signal handler that interrupted a hook: its locks are this thread's
 * own, and it opens them itself, in both processes. */
static __thread bool in_hook;

static void before_fork(void)
{
    in_hook = !asnap_trace_enter();
    if (in_hook)
        return;
    asnap_control_lock();
    asnap_modules_lock();
    asnap_records_lock();
    asnap_traced_lock();
    asnap_thread_numbers_lock();
    asnap_stacks_lock();
    asnap_module_list_lock();
    asnap_thread_lock();
}

static void after_fork(void)
{
    if (in_hook)
        return;
    asnap_thread_unlock();
    asnap_module_list_unlock();
    asnap_stacks_unlock();
    asnap_thread_numbers_unlock();
    asnap_traced_unlock();
    asnap_records_unlock();
    asnap_modules_unlock();
    asnap_control_unlock();
    asnap_trace_leave();
}

static void after_fork_in_child(void)
{
    asnap_thread_number_forget();
    if (!in_hook)
        asnap_thread_forget_others();
    after_fork();
}

__attribute__((constructor)) static void watch_forks(void)
{
    enum asnap_activity activity = asnap_thread.activity;
    asnap_thread.activity = ASNAP_OWN;
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
    asnap_thread.activity = activity;
}
