#include "deferred.h"

#include "pages.h"
#include "thread.h"
#include "walker.h"

struct asnap_deferred *asnap_deferred_create(enum asnap_deferred_kind kind)
{
    struct asnap_deferred *deferred = asnap_pages_map(sizeof(*deferred));
    if (deferred != NULL)
        deferred->kind = kind;
    return deferred;
}

void asnap_deferred_destroy(struct asnap_deferred *deferred)
{
    if (deferred == NULL)
        return;
    asnap_walker_destroy(deferred->walker);
    asnap_pages_unmap(deferred, sizeof(*deferred));
}

void asnap_deferred_push(struct asnap_deferred *deferred)
{
    /* One handler can interrupt another here, hence the exchange. */
    struct asnap_deferred **head = &asnap_thread.deferred;
    deferred->next = __atomic_load_n(head, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(head, &deferred->next, deferred, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        continue;
}

struct asnap_deferred *asnap_deferred_take(void)
{
    struct asnap_deferred *newest_first =
        __atomic_exchange_n(&asnap_thread.deferred, NULL, __ATOMIC_RELAXED);
    struct asnap_deferred *oldest_first = NULL;
    while (newest_first != NULL) {
        struct asnap_deferred *deferred = newest_first;
        newest_first = deferred->next;
        deferred->next = oldest_first;
        oldest_first = deferred;
    }
    return oldest_first;
}
