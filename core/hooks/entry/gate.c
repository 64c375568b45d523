#include "gate.h"

#include "deferred.h"
#include "errors.h"
#include "freed.h"
#include "history.h"
#include "kernel.h"
#include "reached.h"
#include "stack_totals.h"
#include "thread_numbers.h"
#include "watched_count.h"

void asnap_gate_drop(void)
{
    asnap_freed_doubt();
    __atomic_fetch_add(&allocsnap_root.dropped, 1, __ATOMIC_RELAXED);
}

void asnap_gate_refuse(void)
{
    asnap_freed_doubt();
    __atomic_fetch_add(&allocsnap_root.refused, 1, __ATOMIC_RELAXED);
}

bool asnap_gate_count(enum asnap_inserted inserted, bool is_new)
{
    if (inserted == ASNAP_NO_SUM)
        asnap_gate_refuse();
    else if (inserted == ASNAP_NO_MEMORY)
        asnap_gate_drop();
    else if (inserted == ASNAP_REPLACED && is_new)
        __atomic_fetch_add(&allocsnap_root.missed_frees, 1, __ATOMIC_RELAXED);
    return inserted == ASNAP_INSERTED || inserted == ASNAP_REPLACED;
}

static bool remove_record(uint64_t key, struct asnap_removed *removed, uint32_t mode)
{
    return mode == ASNAP_TABLE_TRACING_ALL ? asnap_records_remove(key, removed)
                                           : asnap_records_remove_sampled(key, removed);
}

enum asnap_withdrawn asnap_gate_withdraw(uint64_t key, struct asnap_removed *removed, uint32_t mode)
{
    asnap_history_look();
    if (remove_record(key, removed, mode))
        return ASNAP_WITHDRAWN;
    if (!asnap_gate_may_be_awaited())
        return ASNAP_NO_RECORD;
    bool was_left = asnap_deferred_cancel(key);
    if (remove_record(key, removed, mode))
        return ASNAP_WITHDRAWN;
    return was_left ? ASNAP_WITHDRAWN_LEFT : ASNAP_NO_RECORD;
}

bool asnap_gate_remove_awaited(uint64_t key, struct asnap_removed *removed, uint32_t mode)
{
    asnap_deferred_cancel(key);
    return remove_record(key, removed, mode);
}

bool asnap_gate_remove(uint64_t key, struct asnap_removed *removed, uint32_t mode)
{
    return asnap_gate_withdraw(key, removed, mode) == ASNAP_WITHDRAWN;
}

bool asnap_gate_refuse_key(uint64_t key, uint32_t mode)
{
    asnap_gate_remove(key, NULL, mode);
    asnap_gate_refuse();
    return false;
}

/* Another thread may have freed the block meanwhile. */
static void insert(struct asnap_deferred *deferred)
{
    uint64_t key = deferred->key;
    if (asnap_totals_is_on && deferred->mode == ASNAP_TABLE_TRACING_ALL)
        asnap_stack_totals_add(asnap_walker_intern(deferred->walker), deferred->size);
    if (__atomic_load_n(deferred->awaited, __ATOMIC_ACQUIRE) != key ||
        !asnap_gate_takes(key, deferred->size, deferred->mode))
        return;
    struct asnap_removed block = {
        .size = deferred->size,
        .stack = asnap_walker_intern(deferred->walker),
        .thread = deferred->thread,
        .time = deferred->time,
    };
    enum asnap_inserted inserted = ASNAP_NO_MEMORY;
    asnap_history_look();
    if (block.stack != ASNAP_TABLE_NONE)
        inserted = asnap_records_insert_awaited(key, &block, deferred->mode, deferred->awaited);
    asnap_gate_count(inserted, false);
}

static void forget(struct asnap_deferred *deferred)
{
    struct asnap_removed removed;
    enum asnap_withdrawn done = asnap_gate_withdraw(deferred->key, &removed, deferred->mode);
    if (!asnap_freed_is_on || done == ASNAP_WITHDRAWN_LEFT)
        return;
    bool is_error = done == ASNAP_NO_RECORD;
    if (is_error && (deferred->block == NULL || deferred->mode != ASNAP_TABLE_TRACING_ALL))
        return;
    uint32_t stack = deferred->is_walked ? asnap_walker_intern(deferred->walker) : ASNAP_TABLE_NONE;
    if (is_error)
        asnap_errors_put(deferred->key, stack);
    else
        asnap_freed_put(deferred->key, &removed, stack);
}

/* `reached`: the limits that were, as bits of their kinds. */
static void run_one(struct asnap_deferred *deferred, uint32_t *reached)
{
    if (deferred->kind == ASNAP_DEFERRED_INSERT) {
        if (deferred->thread == 0)
            deferred->thread = asnap_thread_number();
        insert(deferred);
    } else if (deferred->kind == ASNAP_DEFERRED_WATCH) {
        if (deferred->mode == ASNAP_TABLE_WATCH_KINDS)
            asnap_watched_count_look();
        else
            *reached |= UINT32_C(1) << deferred->mode;
    } else {
        forget(deferred);
        if (deferred->block != NULL)
            deferred->release(deferred->block);
    }
    asnap_deferred_destroy(deferred);
}

void asnap_gate_run_deferred(void)
{
    struct asnap_thread *thread = &asnap_thread;
    uint32_t reached = 0;
    thread->nested = 0;
    while (thread->deferred != NULL) {
        thread->activity = ASNAP_RECORDING;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        for (struct asnap_deferred *next, *one = asnap_deferred_take(); one != NULL; one = next) {
            next = one->next;
            run_one(one, &reached);
        }
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        thread->activity = ASNAP_IDLE;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    if (reached != 0)
        asnap_reached_tell(reached);
}

void asnap_gate_mend(void)
{
    asnap_deferred_mend(insert);
}

/* A hook's frame lies above a handler's that interrupts it, unless the handler has a stack
 * of its own. */
bool asnap_gate_was_abandoned(void)
{
    struct asnap_thread *thread = &asnap_thread;
    uint64_t here = asnap_gate_stack_place();
    const struct asnap_walker *walker = thread->walker;
    if (thread->activity != ASNAP_RECORDING || here <= thread->entered_at || walker == NULL ||
        here - walker->reach.current.low >= walker->reach.current.high - walker->reach.current.low)
        return false;
    if (asnap_kernel_on_signal_stack())
        return false;
    asnap_walker_forget(thread->walker);
    return true;
}
