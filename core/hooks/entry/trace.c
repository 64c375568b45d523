#include "trace.h"

#include <unistd.h>

#include "clock.h"
#include "deferred.h"
#include "errors.h"
#include "freed.h"
#include "gate.h"
#include "history.h"
#include "kernel.h"
#include "loaded_modules.h"
#include "preceding.h"
#include "registered_frames.h"
#include "sampler.h"
#include "stack_totals.h"
#include "thread_numbers.h"
#include "walk_check.h"
#include "walker_pool.h"

static uint64_t key_of(const void *block)
{
    return (uint64_t)(uintptr_t)block & ((UINT64_C(1) << ASNAP_TABLE_ADDRESS_BITS) - 1);
}

/* A hook that a handler has jumped out of, and that was not found to be, never does what is left
 * to it: each piece has a walker of its own, and they must not take all memory. Handlers that
 * interrupt each other's walks end somewhere; what allocates for the hooks, whatever that may be,
 * would come here again and again until the stack ends. */
enum { DEFERRED_MAX = 16384, NESTED_MAX = 16 };

/* The handler's stack is only there now, so it is walked now. */
static bool walk_deferred(struct asnap_deferred *deferred, const struct asnap_caller *caller)
{
    struct asnap_thread *thread = &asnap_thread;
    /* Those that handlers have jumped out of are not counted down. */
    if (thread->nested_in != thread->entered_at)
        thread->nested = 0;
    thread->nested_in = thread->entered_at;
    if (thread->nested >= NESTED_MAX || !asnap_deferred_take_walker(deferred))
        return false;
    thread->nested++;
    bool walked = asnap_walker_walk(deferred->walker, caller, asnap_root_frame_limit());
    thread->nested--;
    return walked;
}

static bool defer_insert(uint64_t key, size_t size, const struct asnap_caller *caller,
                         uint32_t mode)
{
    struct asnap_deferred *deferred = NULL;
    if (asnap_thread.deferred_count < DEFERRED_MAX)
        deferred = asnap_deferred_create(ASNAP_DEFERRED_INSERT, mode);
    if (deferred == NULL || !walk_deferred(deferred, caller)) {
        asnap_deferred_destroy(deferred);
        asnap_gate_drop();
        return false;
    }
    deferred->key = key;
    deferred->size = size;
    deferred->thread = asnap_thread_number_if_any();
    deferred->time = asnap_clock_now();
    asnap_deferred_push(deferred);
    return true;
}

/* Code is read now and then: what it leads to may be known to the linker later only. */
static void count_to_read_code(uint32_t *calls)
{
    uint32_t call = __atomic_add_fetch(calls, 1, __ATOMIC_RELAXED);
    if ((call & (call - 1)) == 0 || call % 1024 == 0)
        asnap_preceding_read_code();
}

/* A definition before the hooks' calls them by some function between. */
static void look_for_passed(struct asnap_walker *walker)
{
    enum { BETWEEN = 4 };
    static uint32_t calls;
    uint32_t depth = asnap_walker_depth(walker);
    for (uint32_t i = 0; i < BETWEEN && i < depth; i++)
        asnap_preceding_called_from(asnap_walker_frame(walker, depth - i).pc,
                                    ~(uint32_t)ASNAP_TABLE_TAKE_BACK);
    count_to_read_code(&calls);
}

void asnap_trace_look_at_release(uint64_t caller)
{
    static uint32_t calls;
    if (asnap_preceding_doubtful() == 0)
        return;
    asnap_preceding_called_from(caller, ASNAP_TABLE_TAKE_BACK);
    count_to_read_code(&calls);
}

/* Whether walks are checked, or totals kept. */
static bool has_extras;

void asnap_trace_note_check(void)
{
    has_extras = has_extras || asnap_walk_check_on;
}

/* What is hardly ever wanted. */
static __attribute__((noinline)) void do_extras(struct asnap_walker *walker, uint64_t key,
                                                size_t size, const struct asnap_caller *caller,
                                                uint32_t mode)
{
    if (asnap_totals_is_on && mode == ASNAP_TABLE_TRACING_ALL) {
        asnap_thread.newest = ~key;
        asnap_stack_totals_add(asnap_walker_intern(walker), size);
    }
    if (asnap_preceding_doubtful() != 0)
        look_for_passed(walker);
    if (asnap_walk_check_on && walker->avoid == 0 && walker->limit != 1)
        asnap_walk_check(walker, caller);
}

static ASNAP_HOT bool walk_and_record(struct asnap_walker *walker, uint64_t key, size_t size,
                                      const struct asnap_caller *caller, bool is_new, uint32_t mode)
{
    walker->avoid = asnap_registered_is_libgcc(caller->pc) ? ASNAP_AVOID_LIBGCC : 0;
    if (!asnap_walker_walk(walker, caller, asnap_root_frame_limit())) {
        asnap_gate_drop();
        return false;
    }
    if (__builtin_expect(has_extras || allocsnap_root.preceded != 0, 0))
        do_extras(walker, key, size, caller, mode);
    return asnap_gate_record(key, size, walker, is_new, mode);
}

/* The first walk of a thread, and every one of a thread that is about to end. */
static __attribute__((noinline)) bool track_without_walker(uint64_t key, size_t size,
                                                           const struct asnap_caller *caller,
                                                           bool is_new, uint32_t mode)
{
    struct asnap_walker *walker = asnap_walker_pool_take();
    if (walker == NULL) {
        asnap_gate_drop();
        return false;
    }
    bool done = walk_and_record(walker, key, size, caller, is_new, mode);
    if (asnap_thread.borrows)
        asnap_walker_pool_return();
    return done;
}

static ASNAP_HOT bool track(uint64_t key, size_t size, const struct asnap_caller *caller,
                            bool is_new, uint32_t mode)
{
    if (!asnap_gate_enter())
        return defer_insert(key, size, caller, mode);
    struct asnap_walker *walker = asnap_thread.walker;
    bool done = __builtin_expect(walker != NULL, 1)
                    ? walk_and_record(walker, key, size, caller, is_new, mode)
                    : track_without_walker(key, size, caller, is_new, mode);
    asnap_gate_leave();
    return done;
}

static __attribute__((noinline)) bool track_sampled(uint64_t key, size_t size,
                                                    const struct asnap_caller *caller, bool is_new,
                                                    uint32_t mode)
{
    return track(key, size, caller, is_new, mode);
}

bool asnap_trace_track(uint64_t key, size_t size, const struct asnap_caller *caller, uint32_t mode)
{
    /* It is in place of one that a handler has told of with this key. */
    asnap_deferred_cancel(key);
    if (mode == ASNAP_TABLE_TRACING_ALL)
        return track(key, size, caller, false, ASNAP_TABLE_TRACING_ALL);
    if (asnap_sampler_take(size, mode) != ASNAP_NOT_SAMPLED)
        return track_sampled(key, size, caller, false, mode);
    asnap_trace_untrack(key, mode);
    return true;
}

/* What there is to do of a block before it is recorded. Whether it is new. */
static ASNAP_HOT bool begin_allocated(void *block, size_t size)
{
    struct asnap_thread *thread = &asnap_thread;
    asnap_records_prefetch(key_of(block));
    /* A signal handler was given what the operator delete underneath has just freed. */
    if (thread->releasing == block)
        thread->releasing = NULL;
    /* What allocates underneath may have come through the hooks itself. */
    uint64_t last = ~(uint64_t)(uintptr_t)block;
    bool is_new = thread->last_block != last;
    thread->last_block = last;
    thread->last_size = size;
    return is_new;
}

void asnap_trace_failed(size_t size)
{
    if (size == 0 || asnap_thread.activity == ASNAP_OWN)
        return;
    bool is_outside = asnap_gate_enter();
    asnap_watch_failed(size);
    if (is_outside)
        asnap_gate_leave();
}

void asnap_trace_allocated(void *block, size_t size, const struct asnap_caller *caller)
{
    if (block == NULL) {
        asnap_trace_failed(size);
        return;
    }
    if (asnap_thread.activity == ASNAP_OWN) {
        asnap_freed_doubt();
        return;
    }
    bool is_new = begin_allocated(block, size);
    track(key_of(block), size, caller, is_new, ASNAP_TABLE_TRACING_ALL);
}

void asnap_trace_sampled(void *block, size_t size, const struct asnap_caller *caller, uint32_t mode)
{
    if (block == NULL) {
        asnap_trace_failed(size);
        return;
    }
    if (asnap_thread.activity == ASNAP_OWN)
        return;
    bool is_new = begin_allocated(block, size);
    track_sampled(key_of(block), size, caller, is_new, mode);
}

/* ---- blocks that are freed ---- */

void asnap_trace_begin(uint64_t freed, bool totals, bool history)
{
    static const char no_freed[] =
        "allocsnap: no memory for ALLOCSNAP_FREED: freed blocks are not kept\n";
    static const char no_history[] =
        "allocsnap: no memory for ALLOCSNAP_HISTORY: the history is not kept\n";
    if (freed != 0 && !(asnap_errors_begin() && asnap_freed_begin(freed)))
        asnap_kernel_write(STDERR_FILENO, no_freed, sizeof(no_freed) - 1);
    if (history && !asnap_history_begin(ASNAP_TABLE_POINTS_MAX))
        asnap_kernel_write(STDERR_FILENO, no_history, sizeof(no_history) - 1);
    if (totals)
        asnap_stack_totals_begin();
    has_extras = totals || asnap_walk_check_on;
    asnap_trace_is_told =
        asnap_freed_is_on || totals || asnap_history_is_on || allocsnap_root.preceded != 0;
}

bool asnap_trace_is_told;

/* The node of the stack from `caller` on; ASNAP_TABLE_NONE: no memory for it. */
static uint32_t node_of(const struct asnap_caller *caller)
{
    struct asnap_thread *thread = &asnap_thread;
    struct asnap_walker *walker =
        thread->walker != NULL ? thread->walker : asnap_walker_pool_take();
    uint32_t node = ASNAP_TABLE_NONE;
    if (walker == NULL)
        return node;
    walker->avoid = asnap_registered_is_libgcc(caller->pc) ? ASNAP_AVOID_LIBGCC : 0;
    if (asnap_walker_walk(walker, caller, asnap_root_frame_limit()))
        node = asnap_walker_intern(walker);
    if (thread->borrows)
        asnap_walker_pool_return();
    return node;
}

/* Leaves a release to the hook that was interrupted; false where there is no memory. `caller`: of
 * whoever frees the block, where that is to be known. */
static bool defer_release(uint64_t key, void *block, void (*release)(void *),
                          const struct asnap_caller *caller, uint32_t mode)
{
    struct asnap_deferred *deferred = asnap_deferred_create(ASNAP_DEFERRED_RELEASE, mode);
    if (deferred == NULL)
        return false;
    deferred->key = key;
    deferred->block = block;
    deferred->release = release;
    /* Without a walk the stack is not known. */
    deferred->is_walked = caller != NULL && asnap_thread.deferred_count < DEFERRED_MAX &&
                          walk_deferred(deferred, caller);
    asnap_deferred_push(deferred);
    return true;
}

static bool is_passed_by(uint64_t key, uint32_t mode)
{
    return mode != ASNAP_TABLE_TRACING_ALL && asnap_trace_passes(key);
}

void asnap_trace_untrack(uint64_t key, uint32_t mode)
{
    if (is_passed_by(key, mode))
        return;
    if (!asnap_gate_enter()) {
        defer_release(key, NULL, NULL, NULL, mode);
        return;
    }
    asnap_gate_remove(key, NULL, mode);
    asnap_gate_leave();
}

/* For what libc does on the hooks' behalf: it may well release or resize what it took
 * on the program's, such as dlerror's text. What is left meanwhile is for the next
 * call to do. */
static bool remove_on_own_behalf(void *block, struct asnap_removed *removed, uint32_t mode)
{
    struct asnap_thread *thread = &asnap_thread;
    uint64_t outer = thread->entered_at;
    thread->entered_at = asnap_gate_stack_place();
    thread->activity = ASNAP_RECORDING;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    bool found = asnap_gate_remove(key_of(block), removed, mode);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->activity = ASNAP_OWN;
    thread->entered_at = outer;
    return found;
}

static ASNAP_HOT bool releasing(void *block, void (*release)(void *), uint32_t mode)
{
    if (asnap_thread.activity == ASNAP_OWN) {
        remove_on_own_behalf(block, NULL, mode);
        return true;
    }
    if (asnap_gate_enter()) {
        uint64_t key = key_of(block);
        bool found = mode == ASNAP_TABLE_TRACING_ALL ? asnap_records_remove(key, NULL)
                                                     : asnap_records_remove_sampled(key, NULL);
        if (__builtin_expect(!found, 0) && asnap_gate_may_be_awaited())
            asnap_gate_remove_awaited(key, NULL, mode);
        asnap_gate_leave();
        return true;
    }
    /* Without memory for that it stays allocated and recorded, which is at least true. */
    defer_release(key_of(block), block, release, NULL, mode);
    return false;
}

/* A block is freed. It may be what its thread, which is the calling one, has allocated last,
 * without a free since. */
static void count_temporary(uint64_t key, const struct asnap_removed *removed, uint32_t mode)
{
    struct asnap_thread *thread = &asnap_thread;
    if (!asnap_totals_is_on || mode != ASNAP_TABLE_TRACING_ALL)
        return;
    if (thread->newest == ~key && removed->thread == asnap_thread_number())
        asnap_stack_totals_add_temporary(removed->stack, removed->size);
    thread->newest = 0;
}

void asnap_trace_resized(const void *block, const struct asnap_removed *removed, uint32_t mode)
{
    count_temporary(key_of(block), removed, mode);
}

/* Forgets a record, and keeps what it said of the block that is freed. Whether there was one, or
 * will not be. */
static bool forget(uint64_t key, const struct asnap_caller *caller, uint32_t mode)
{
    struct asnap_removed removed;
    enum asnap_withdrawn done = asnap_gate_withdraw(key, &removed, mode);
    if (done == ASNAP_WITHDRAWN)
        count_temporary(key, &removed, mode);
    if (done != ASNAP_WITHDRAWN || !asnap_freed_is_on)
        return done != ASNAP_NO_RECORD;
    asnap_freed_put(key, &removed, node_of(caller));
    struct asnap_thread *thread = &asnap_thread;
    if (thread->releasing != NULL && thread->mistaken != 0 &&
        (uintptr_t)thread->releasing - asnap_table_key_address(key) < removed.size) {
        asnap_errors_take_back(thread->mistaken);
        thread->mistaken = 0;
    }
    return true;
}

/* There was no record of a block that is to be freed or resized. Returns the error's number. */
static uint64_t mistake(const void *block, const struct asnap_caller *caller, uint32_t mode)
{
    if (!asnap_freed_is_on || mode != ASNAP_TABLE_TRACING_ALL)
        return 0;
    return asnap_errors_put(key_of(block), node_of(caller));
}

bool asnap_trace_releasing_by(void *block, void (*release)(void *),
                              const struct asnap_caller *caller, uint32_t mode)
{
    if (asnap_thread.activity == ASNAP_OWN) {
        remove_on_own_behalf(block, NULL, mode);
        return true;
    }
    if (!asnap_gate_enter()) {
        defer_release(key_of(block), block, release, asnap_freed_is_on ? caller : NULL, mode);
        return false;
    }
    bool was_known = forget(key_of(block), caller, mode);
    /* What an operator delete frees may be another address than that which it was called for. */
    if (asnap_thread.releasing == NULL)
        asnap_thread.mistaken = was_known ? 0 : mistake(block, caller, mode);
    asnap_gate_leave();
    return true;
}

void asnap_trace_unknown_resize(const void *block, const struct asnap_caller *caller, uint32_t mode)
{
    if (!asnap_freed_is_on || asnap_thread.activity == ASNAP_OWN || !asnap_gate_enter())
        return;
    mistake(block, caller, mode);
    asnap_gate_leave();
}

void asnap_trace_untrack_by(uint64_t key, const struct asnap_caller *caller, uint32_t mode)
{
    if (!asnap_freed_is_on && !asnap_totals_is_on) {
        asnap_trace_untrack(key, mode);
    } else if (!is_passed_by(key, mode)) {
        if (asnap_gate_enter()) {
            forget(key, caller, mode);
            asnap_gate_leave();
        } else {
            defer_release(key, NULL, NULL, caller, mode);
        }
    }
}

uint64_t asnap_trace_freed(void *block, const struct asnap_removed *removed,
                           const struct asnap_caller *caller)
{
    if (!asnap_freed_is_on || !asnap_gate_enter())
        return 0;
    uint64_t number = asnap_freed_put(key_of(block), removed, node_of(caller));
    asnap_gate_leave();
    return number;
}

bool asnap_trace_releasing(void *block, void (*release)(void *))
{
    return releasing(block, release, ASNAP_TABLE_TRACING_ALL);
}

bool asnap_trace_releasing_sampled(void *block, void (*release)(void *), uint32_t mode)
{
    return releasing(block, release, mode);
}

enum asnap_taken asnap_trace_take(void *block, struct asnap_removed *removed, uint32_t mode)
{
    if (is_passed_by(key_of(block), mode))
        return ASNAP_UNKNOWN;
    if (asnap_thread.activity == ASNAP_OWN) {
        remove_on_own_behalf(block, removed, mode);
        return ASNAP_UNKNOWN;
    }
    /* What a hook has yet to record cannot be put back. */
    if (asnap_deferred_awaits(key_of(block)) || !asnap_gate_enter())
        return ASNAP_TAKE_LATE;
    enum asnap_withdrawn done = asnap_gate_withdraw(key_of(block), removed, mode);
    asnap_gate_leave();
    if (done == ASNAP_WITHDRAWN)
        return ASNAP_TAKEN;
    return done == ASNAP_NO_RECORD ? ASNAP_UNKNOWN : ASNAP_TAKEN_LEFT;
}

void asnap_trace_put_back(void *block, const struct asnap_removed *removed, uint32_t mode)
{
    if (!asnap_gate_enter())
        return;
    asnap_gate_count(asnap_records_put_back(key_of(block), removed, mode), false);
    asnap_gate_leave();
}
