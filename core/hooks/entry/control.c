#include "control.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "debugger_call.h"
#include "deferred.h"
#include "errors.h"
#include "fork.h"
#include "freed.h"
#include "gate.h"
#include "history.h"
#include "loaded_modules.h"
#include "lock.h"
#include "next.h"
#include "operators.h"
#include "pages.h"
#include "reached.h"
#include "records.h"
#include "redirect.h"
#include "registered_frames.h"
#include "sampler.h"
#include "settings.h"
#include "stack_totals.h"
#include "stacks.h"
#include "thread.h"
#include "trace.h"
#include "traced.h"
#include "unwind_rows.h"
#include "walk_check.h"
#include "walker_pool.h"
#include "watch.h"
#include "watched_count.h"

static bool ready;

/* The root of another copy of the hooks that comes first; 0: there is none. */
static uint64_t look_up_symbols(void)
{
    struct asnap_libraries libraries;
    asnap_libraries_open(&libraries, false);
    asnap_linker_init(&libraries);
    asnap_next_resolve(&libraries);
    asnap_operators_resolve(&libraries);
    asnap_lock_init(asnap_symbol_first(&libraries, "__libc_single_threaded"));
    asnap_clock_start(asnap_symbol_first(&libraries, ASNAP_CLOCK_FUNCTION));
    asnap_redirect_init(libraries.is_late);
    uint64_t other_root = libraries.first_root;
    asnap_libraries_close(&libraries);
    return other_root;
}

static void get_ready(void)
{
    uint64_t other_root = look_up_symbols();
    ready = true;
    if (other_root != 0) {
        asnap_root_step_aside(other_root);
        return;
    }
    asnap_walker_pool_init();
    asnap_modules_init();
    asnap_debugger_call_init();
    asnap_registered_init(asnap_modules_bounds);
    struct asnap_settings settings = asnap_settings_read();
    /* The root is the hooks' memory too. */
    asnap_pages_set_limit(settings.max_memory - sizeof(allocsnap_root));
    asnap_sampler_seed(settings.sample_seed, settings.has_sample_seed);
    allocsnap_root.control.sample_period = settings.sample_period;
    asnap_reached_init();
    asnap_trace_begin(settings.freed, settings.totals, settings.history);
    memcpy(asnap_root_and_watch.watch.asked, settings.limits, sizeof(settings.limits));
    asnap_root_and_watch.watch.asked_action = settings.action;
    asnap_root_and_watch.watch.number = 1;
    if (settings.frame_limit != 0) {
        allocsnap_root.control.frame_limit = settings.frame_limit;
        allocsnap_root.control.tracing = 1;
    }
    asnap_pages_list_library();
    asnap_root_describe();
}

/* What the root is to say of `tracing`; `was` is what it says now. Threads begin to count when they
 * meet the number of a sample that is not the one they count for. */
static uint32_t mode_for(bool trace, uint32_t was, uint64_t period)
{
    static uint32_t number = ASNAP_TABLE_TRACING_ALL;
    if (!trace)
        return 0;
    if (period == 0)
        return ASNAP_TABLE_TRACING_ALL;
    if (was > ASNAP_TABLE_TRACING_ALL && period == asnap_root_sample_period())
        return was;
    number = number == UINT32_MAX ? ASNAP_TABLE_TRACING_ALL + 1 : number + 1;
    return number;
}

static void obey(void)
{
    /* The sequence first: where a debugger writes meanwhile, it differs afterwards. */
    uint32_t sequence = __atomic_load_n(&allocsnap_root.control.sequence, __ATOMIC_ACQUIRE);
    struct asnap_table_control asked = allocsnap_root.control;
    struct asnap_table_control *applied = &allocsnap_root.applied;
    if (asked.sample_period > ASNAP_TABLE_SAMPLE_PERIOD_MAX)
        asked.sample_period = applied->sample_period;
    bool trace = asked.tracing != 0 && asnap_stacks_init() && asnap_rows_init();
    uint32_t was = applied->tracing;
    uint32_t mode = mode_for(trace, was, asked.sample_period);
    /* What is of another kind than the records must not come among them. */
    if (mode != was)
        __atomic_store_n(&applied->tracing, 0, __ATOMIC_RELEASE);
    if (mode != was || asked.clear != applied->clear) {
        /* What is not recorded yet was allocated before, too. */
        asnap_deferred_cancel_all();
        asnap_records_clear();
        asnap_freed_clear();
        asnap_errors_clear();
        asnap_stack_totals_clear();
        asnap_history_clear(mode != 0);
        allocsnap_root.missed_frees = 0;
        asnap_walker_pool_drop();
    }
    /* Files may have been unloaded while nothing was traced. */
    if (mode != was)
        asnap_rows_forget();
    if (mode != was || mode == 0)
        __atomic_store_n(&applied->sample_period, asked.sample_period, __ATOMIC_RELEASE);
    if (asked.reset_peak != applied->reset_peak)
        asnap_records_reset_peak();
    if (asked.frame_limit >= 1 && asked.frame_limit <= ASNAP_TABLE_FRAME_LIMIT_MAX)
        __atomic_store_n(&applied->frame_limit, asked.frame_limit, __ATOMIC_RELAXED);
    applied->clear = asked.clear;
    applied->reset_peak = asked.reset_peak;
    /* For a table of another kind, too. */
    asnap_watch_obey();
    asnap_traced_renew_limit();
    asnap_watched_count_look();
    __atomic_store_n(&applied->tracing, mode, __ATOMIC_RELEASE);
    __atomic_store_n(&applied->sequence, sequence, __ATOMIC_RELEASE);
}

void asnap_control_apply(void)
{
    struct asnap_thread *thread = &asnap_thread;
    if (thread->activity != ASNAP_IDLE || !asnap_gate_enter())
        return;
    asnap_process_begin();
    asnap_fork_mend();
    asnap_root_lock();
    if (!ready) {
        int saved_errno = errno;
        thread->activity = ASNAP_OWN;
        get_ready();
        thread->activity = ASNAP_RECORDING;
        errno = saved_errno;
    }
    if (allocsnap_root.control.sequence != allocsnap_root.applied.sequence)
        obey();
    if (!asnap_process_awaits_first())
        __atomic_store_n(&asnap_process.obeyed, allocsnap_root.applied.sequence, __ATOMIC_RELEASE);
    asnap_root_unlock();
    asnap_gate_leave();
}

__attribute__((visibility("default"))) void allocsnap_obey(void)
{
    asnap_control_mode();
}

/* For a program that allocates nothing before its main. */
__attribute__((constructor)) static void start_up(void)
{
    asnap_control_mode();
    asnap_walk_check_begin();
    asnap_trace_note_check();
}
