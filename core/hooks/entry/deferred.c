#include "deferred.h"

#include "loaded_modules.h"
#include "pages.h"
#include "thread.h"
#include "walker.h"

/* Handlers that come thick and fast must not map memory each time. What is done is kept for
 * the next, so many pieces of each kind for the whole process; a larger walker is not kept.
 * Each is emptied and filled by one exchange, so handlers and threads can meet here. */
enum { PLACES = 64, SPARE_WALKERS = 4, KEPT_CAPACITY = 128 };

/* A place is taken and left by its bit. There are more of these where all are taken, and they stay:
 * whoever looks for an awaited block goes through them. */
struct places {
    uint64_t taken;
    struct places *next;
    uint64_t awaited[PLACES];
    struct asnap_deferred all[PLACES];
};

static struct places first_places;
static struct asnap_walker *spare_walkers[SPARE_WALKERS];

uint32_t asnap_deferred_insertions;
bool asnap_deferred_inserts;

static struct places *next_places(struct places *places)
{
    return __atomic_load_n(&places->next, __ATOMIC_ACQUIRE);
}

/* NULL: no memory. */
static struct places *add_places(struct places *last)
{
    struct places *none = NULL;
    struct places *places = asnap_pages_map(sizeof(*places));
    if (places == NULL || __atomic_compare_exchange_n(&last->next, &none, places, false,
                                                      __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        return places;
    asnap_pages_unmap(places, sizeof(*places));
    return none;
}

/* A place of these; PLACES: there is none. */
static int take_from(struct places *places)
{
    uint64_t taken = __atomic_load_n(&places->taken, __ATOMIC_RELAXED);
    while (taken != UINT64_MAX) {
        int place = __builtin_ctzll(~taken);
        uint64_t bit = UINT64_C(1) << place;
        taken = __atomic_fetch_or(&places->taken, bit, __ATOMIC_ACQUIRE);
        if ((taken & bit) == 0)
            return place;
    }
    return PLACES;
}

/* `awaited`: where the key of an insertion is to be. */
static struct asnap_deferred *take_place(uint64_t **awaited)
{
    struct places *places = &first_places;
    while (places != NULL) {
        int place = take_from(places);
        if (place != PLACES) {
            *awaited = &places->awaited[place];
            return &places->all[place];
        }
        struct places *next = next_places(places);
        places = next != NULL ? next : add_places(places);
    }
    return NULL;
}

static void leave_place(struct asnap_deferred *deferred)
{
    struct places *places = &first_places;
    while ((uintptr_t)deferred - (uintptr_t)places->all >= sizeof(places->all))
        places = next_places(places);
    uint64_t bit = UINT64_C(1) << (deferred - places->all);
    __atomic_fetch_and(&places->taken, ~bit, __ATOMIC_RELEASE);
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
    uint64_t *awaited = NULL;
    struct asnap_deferred *deferred = take_place(&awaited);
    if (deferred == NULL)
        return NULL;
    *deferred = (struct asnap_deferred){.kind = kind, .mode = mode, .awaited = awaited};
    return deferred;
}

bool asnap_deferred_take_walker(struct asnap_deferred *deferred)
{
    deferred->walker = take_walker();
    return deferred->walker != NULL;
}

void asnap_deferred_destroy(struct asnap_deferred *deferred)
{
    if (deferred == NULL)
        return;
    /* In this order: what is not left any more is in the table. */
    if (deferred->is_awaited) {
        __atomic_store_n(deferred->awaited, 0, __ATOMIC_RELEASE);
        __atomic_fetch_sub(&asnap_deferred_insertions, 1, __ATOMIC_RELEASE);
    }
    leave_walker(deferred->walker);
    leave_place(deferred);
}

void asnap_deferred_push(struct asnap_deferred *deferred)
{
    if (deferred->kind == ASNAP_DEFERRED_INSERT) {
        deferred->is_awaited = true;
        __atomic_store_n(&asnap_deferred_inserts, true, __ATOMIC_RELAXED);
        __atomic_fetch_add(&asnap_deferred_insertions, 1, __ATOMIC_RELAXED);
        __atomic_store_n(deferred->awaited, deferred->key, __ATOMIC_RELEASE);
    }
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

/* ---- blocks that are awaited ---- */

bool asnap_deferred_awaits(uint64_t key)
{
    if (!asnap_deferred_is_any_left())
        return false;
    for (struct places *places = &first_places; places != NULL; places = next_places(places))
        for (int i = 0; i < PLACES; i++)
            if (__atomic_load_n(&places->awaited[i], __ATOMIC_ACQUIRE) == key)
                return true;
    return false;
}

/* A program's pools may be told of one address again and again. */
bool asnap_deferred_cancel(uint64_t key)
{
    bool was_left = false;
    if (!asnap_deferred_is_any_left())
        return false;
    for (struct places *places = &first_places; places != NULL; places = next_places(places)) {
        for (int i = 0; i < PLACES; i++) {
            uint64_t awaited = key;
            if (__atomic_load_n(&places->awaited[i], __ATOMIC_RELAXED) == key &&
                __atomic_compare_exchange_n(&places->awaited[i], &awaited, 0, false,
                                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
                was_left = true;
        }
    }
    return was_left;
}

void asnap_deferred_cancel_all(void)
{
    if (!asnap_deferred_is_any_left())
        return;
    for (struct places *places = &first_places; places != NULL; places = next_places(places))
        for (int i = 0; i < PLACES; i++)
            __atomic_store_n(&places->awaited[i], 0, __ATOMIC_RELEASE);
}

/* ---- in a child ---- */

void asnap_deferred_mend(void (*insert)(struct asnap_deferred *deferred))
{
    /* Each page that is written is the child's own from then on. */
    for (struct places *places = &first_places; places != NULL; places = next_places(places)) {
        for (int i = 0; i < PLACES; i++) {
            if (places->awaited[i] == 0)
                continue;
            insert(&places->all[i]);
            leave_walker(places->all[i].walker);
            places->awaited[i] = 0;
        }
        if (places->taken != 0)
            __atomic_store_n(&places->taken, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&asnap_deferred_insertions, 0, __ATOMIC_RELAXED);
}
