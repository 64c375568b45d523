#include "deferred.h"

#include "loaded_modules.h"
#include "pages.h"
#include "thread.h"
#include "walker.h"

/* Handlers that come thick and fast must not map memory each time. What is done is kept for
 * the next, so many pieces of each kind for the whole process; a larger walker is not kept.
 * Each place is emptied and filled by one exchange, so handlers and threads can meet here. */
enum { PLACES = 64, SPARE_WALKERS = 4, KEPT_CAPACITY = 128 };

static struct asnap_deferred places[PLACES];
static bool place_taken[PLACES];
static struct asnap_walker *spare_walkers[SPARE_WALKERS];

static struct asnap_deferred *take_place(void)
{
    for (int i = 0; i < PLACES; i++)
        if (!__atomic_load_n(&place_taken[i], __ATOMIC_RELAXED) &&
            !__atomic_exchange_n(&place_taken[i], true, __ATOMIC_ACQUIRE))
            return &places[i];
    return asnap_pages_map(sizeof(struct asnap_deferred));
}

static void leave_place(struct asnap_deferred *deferred)
{
    size_t offset = (size_t)((uintptr_t)deferred - (uintptr_t)places);
    if (offset < sizeof(places))
        __atomic_store_n(&place_taken[offset / sizeof(*deferred)], false, __ATOMIC_RELEASE);
    else
        asnap_pages_unmap(deferred, sizeof(*deferred));
}

static struct asnap_walker *take_walker(void)
{
    for (int i = 0; i < SPARE_WALKERS; i++) {
        struct asnap_walker *walker =
            __atomic_exchange_n(&spare_walkers[i], NULL, __ATOMIC_ACQUIRE);
        if (walker != NULL) {
            asnap_walker_renew(walker);
            return walker;
        }
    }
    return asnap_walker_create(ASNAP_AVOID_LIBGCC | ASNAP_AVOID_WAITING);
}

static void leave_walker(struct asnap_walker *walker)
{
    for (int i = 0; walker != NULL && walker->capacity <= KEPT_CAPACITY && i < SPARE_WALKERS; i++) {
        struct asnap_walker *none = NULL;
        if (__atomic_compare_exchange_n(&spare_walkers[i], &none, walker, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
    }
    asnap_walker_destroy(walker);
}

struct asnap_deferred *asnap_deferred_create(enum asnap_deferred_kind kind, uint32_t mode)
{
    struct asnap_deferred *deferred = take_place();
    if (deferred == NULL)
        return NULL;
    *deferred = (struct asnap_deferred){.kind = kind, .mode = mode};
    if (kind != ASNAP_DEFERRED_INSERT)
        return deferred;
    deferred->walker = take_walker();
    if (deferred->walker != NULL)
        return deferred;
    leave_place(deferred);
    return NULL;
}

void asnap_deferred_destroy(struct asnap_deferred *deferred)
{
    if (deferred == NULL)
        return;
    leave_walker(deferred->walker);
    leave_place(deferred);
}

void asnap_deferred_push(struct asnap_deferred *deferred)
{
    /* One handler can interrupt another here, hence the exchange. */
    struct asnap_deferred **head = &asnap_thread.deferred;
    deferred->next = __atomic_load_n(head, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(head, &deferred->next, deferred, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        continue;
    __atomic_fetch_add(&asnap_thread.deferred_count, 1, __ATOMIC_RELAXED);
}

struct asnap_deferred *asnap_deferred_take(void)
{
    struct asnap_deferred *newest_first =
        __atomic_exchange_n(&asnap_thread.deferred, NULL, __ATOMIC_RELAXED);
    struct asnap_deferred *oldest_first = NULL;
    __atomic_store_n(&asnap_thread.deferred_count, 0, __ATOMIC_RELAXED);
    while (newest_first != NULL) {
        struct asnap_deferred *deferred = newest_first;
        newest_first = deferred->next;
        deferred->next = oldest_first;
        oldest_first = deferred;
    }
    return oldest_first;
}

void asnap_deferred_mend(void)
{
    /* Each page that is written is the child's own from then on. */
    for (int i = 0; i < PLACES; i++)
        if (__atomic_load_n(&place_taken[i], __ATOMIC_RELAXED))
            __atomic_store_n(&place_taken[i], false, __ATOMIC_RELAXED);
}
