#include "trace.h"

#include "control.h"
#include "deferred.h"
#include "stack_walk.h"
#include "stacks.h"
#include "thread.h"

enum { LOCAL_FRAMES = 128 };

static void count_drop(void)
{
    __atomic_fetch_add(&allocsnap_root.dropped, 1, __ATOMIC_RELAXED);
}

static uint64_t key_of(const void *block)
{
    return (uint64_t)(uintptr_t)block & ((UINT64_C(1) << ASNAP_TABLE_ADDRESS_BITS) - 1);
}

static bool record(uint64_t key, size_t size, const uint64_t *frames, size_t count, uint32_t total)
{
    uint32_t stack = asnap_stacks_intern(frames, count, total - (uint32_t)count);
    if (stack != ASNAP_TABLE_NONE && asnap_records_insert(key, size, stack))
        return true;
    count_drop();
    return false;
}

bool asnap_trace_enter(void)
{
    struct asnap_thread *thread = &asnap_thread;
    if (thread->activity != ASNAP_IDLE)
        return false;
    thread->activity = ASNAP_RECORDING;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

static void run_deferred(struct asnap_deferred *deferred)
{
    struct asnap_removed removed;
    if (deferred->kind == ASNAP_DEFERRED_INSERT) {
        record(deferred->key, deferred->size, deferred->return_addresses, deferred->frame_count,
               deferred->total);
    } else {
        asnap_records_remove(deferred->key, &removed);
        if (deferred->block != NULL)
            deferred->release(deferred->block);
    }
    asnap_deferred_destroy(deferred);
}

void asnap_trace_leave(void)
{
    struct asnap_thread *thread = &asnap_thread;
    for (;;) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        thread->activity = ASNAP_IDLE;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (thread->deferred == NULL)
            return;
        thread->activity = ASNAP_RECORDING;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        for (struct asnap_deferred *next, *one = asnap_deferred_take(); one != NULL; one = next) {
            next = one->next;
            run_deferred(one);
        }
    }
}

/* The handler's stack is only there now, so it is walked now. */
static bool defer_insert(uint64_t key, size_t size, const void *caller)
{
    size_t limit = asnap_control_frame_limit();
    struct asnap_deferred *deferred = asnap_deferred_create(ASNAP_DEFERRED_INSERT, limit);
    if (deferred == NULL) {
        count_drop();
        return false;
    }
    deferred->key = key;
    deferred->size = size;
    deferred->frame_count =
        (uint32_t)asnap_stack_walk(caller, deferred->return_addresses, limit, &deferred->total);
    asnap_deferred_push(deferred);
    return true;
}

bool asnap_trace_track(uint64_t key, size_t size, const void *caller)
{
    if (!asnap_trace_enter())
        return defer_insert(key, size, caller);
    uint64_t local[LOCAL_FRAMES];
    uint64_t *frames = local;
    size_t limit = asnap_control_frame_limit();
    if (limit > LOCAL_FRAMES) {
        frames = asnap_thread_frames(limit);
        if (frames == NULL) {
            frames = local;
            limit = LOCAL_FRAMES;
        }
    }
    uint32_t total;
    size_t count = asnap_stack_walk(caller, frames, limit, &total);
    bool done = record(key, size, frames, count, total);
    asnap_trace_leave();
    return done;
}

void asnap_trace_allocated(void *block, size_t size, const void *caller)
{
    struct asnap_thread *thread = &asnap_thread;
    if (block == NULL || thread->activity == ASNAP_OWN)
        return;
    /* A signal handler was given what the operator delete underneath has just freed. */
    if (thread->releasing == block)
        thread->releasing = NULL;
    thread->last_block = block;
    thread->last_size = size;
    asnap_trace_track(key_of(block), size, caller);
}

/* Leaves a release to the hook that was interrupted; false where there is no memory. */
static bool defer_release(uint64_t key, void *block, void (*release)(void *))
{
    struct asnap_deferred *deferred = asnap_deferred_create(ASNAP_DEFERRED_RELEASE, 0);
    if (deferred == NULL)
        return false;
    deferred->key = key;
    deferred->block = block;
    deferred->release = release;
    asnap_deferred_push(deferred);
    return true;
}

void asnap_trace_untrack(uint64_t key)
{
    struct asnap_removed removed;
    if (!asnap_trace_enter()) {
        defer_release(key, NULL, NULL);
        return;
    }
    asnap_records_remove(key, &removed);
    asnap_trace_leave();
}

/* For what libc does on the hooks' behalf: it may well release or resize what it took
 * on the program's, such as dlerror's text. What is left meanwhile is for the next
 * call to do. */
static bool remove_on_own_behalf(void *block, struct asnap_removed *removed)
{
    struct asnap_thread *thread = &asnap_thread;
    thread->activity = ASNAP_RECORDING;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    bool found = asnap_records_remove(key_of(block), removed);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->activity = ASNAP_OWN;
    return found;
}

bool asnap_trace_releasing(void *block, void (*release)(void *))
{
    struct asnap_removed removed;
    if (asnap_thread.activity == ASNAP_OWN) {
        remove_on_own_behalf(block, &removed);
        return true;
    }
    if (asnap_trace_enter()) {
        asnap_records_remove(key_of(block), &removed);
        asnap_trace_leave();
        return true;
    }
    /* Without memory for that it stays allocated and recorded, which is at least true. */
    defer_release(key_of(block), block, release);
    return false;
}

enum asnap_taken asnap_trace_take(void *block, struct asnap_removed *removed)
{
    if (asnap_thread.activity == ASNAP_OWN) {
        remove_on_own_behalf(block, removed);
        return ASNAP_UNKNOWN;
    }
    if (!asnap_trace_enter())
        return ASNAP_TAKE_LATE;
    bool found = asnap_records_remove(key_of(block), removed);
    asnap_trace_leave();
    return found ? ASNAP_TAKEN : ASNAP_UNKNOWN;
}

void asnap_trace_put_back(void *block, const struct asnap_removed *removed)
{
    if (!asnap_trace_enter())
        return;
    if (!asnap_records_put_back(key_of(block), removed))
        count_drop();
    asnap_trace_leave();
}
