#include "watch.h"

#include "kernel.h"

uint64_t asnap_watch_large_bytes = ASNAP_TABLE_SIZE_LIMIT;

static bool leave_nothing(uint32_t kind)
{
    (void)kind;
    return true;
}
bool (*asnap_watch_leave)(uint32_t kind) = leave_nothing;

/* Without memory to tell of it, the next one may. */
void asnap_watch_reach(enum asnap_table_watch_kind kind, uint64_t traced, uint64_t request)
{
    struct asnap_table_watch *watch = &asnap_root_and_watch.watch;
    uint64_t limit = __atomic_exchange_n(&watch->armed[kind], 0, __ATOMIC_ACQ_REL);
    if (limit == 0)
        return;
    struct asnap_table_reached *reached = &watch->reached[kind];
    reached->limit = limit;
    reached->size = traced;
    reached->request = request;
    reached->thread = asnap_kernel_thread();
    if (!asnap_watch_leave(kind)) {
        uint64_t none = 0;
        __atomic_compare_exchange_n(&watch->armed[kind], &none, limit, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
    } else if (kind == ASNAP_TABLE_WATCH_BLOCK) {
        __atomic_store_n(&asnap_watch_large_bytes, ASNAP_TABLE_SIZE_LIMIT, __ATOMIC_RELAXED);
    }
}

void asnap_watch_count(void)
{
    asnap_watch_leave(ASNAP_TABLE_WATCH_KINDS);
}

bool asnap_watch_large(uint64_t request)
{
    uint64_t limit = asnap_watch_limit(ASNAP_TABLE_WATCH_BLOCK);
    if (limit != 0 && request >= limit)
        asnap_watch_reach(ASNAP_TABLE_WATCH_BLOCK, 0, request);
    return request < ASNAP_TABLE_SIZE_LIMIT;
}

void asnap_watch_failed(uint64_t request)
{
    asnap_watch_large(request);
    if (asnap_watch_limit(ASNAP_TABLE_WATCH_FAILED) != 0)
        asnap_watch_reach(ASNAP_TABLE_WATCH_FAILED, 0, request);
}

void asnap_watch_obey(void)
{
    struct asnap_table_watch *watch = &asnap_root_and_watch.watch;
    if (watch->number == watch->obeyed)
        return;
    for (int kind = 0; kind < ASNAP_TABLE_WATCH_KINDS; kind++)
        __atomic_store_n(&watch->armed[kind], watch->asked[kind], __ATOMIC_RELEASE);
    uint64_t large = watch->asked[ASNAP_TABLE_WATCH_BLOCK];
    bool is_one = large != 0 && large < ASNAP_TABLE_SIZE_LIMIT;
    __atomic_store_n(&asnap_watch_large_bytes, is_one ? large : ASNAP_TABLE_SIZE_LIMIT,
                     __ATOMIC_RELAXED);
    watch->action = watch->asked_action;
    watch->obeyed = watch->number;
}
