#include "walker_pool.h"

#include <pthread.h>
#include <stdbool.h>

#include "gate.h"
#include "kernel.h"
#include "lock.h"
#include "process.h"
#include "thread.h"

/* Takes the walker back when its thread ends. */
static pthread_key_t walker_key;
static bool have_key;

/* Walkers that threads have, by the place of the thread's data: a thread that has nothing at
 * a place where another had a walker has come after it. asnap_walker_lock is held for these
 * and for the pool. */
enum { OWNER_BUCKETS = 256 };
static struct asnap_walker *owned[OWNER_BUCKETS];

static struct asnap_walker *pool;

static struct asnap_walker **bucket_of(const void *owner)
{
    uint64_t hash = (uint64_t)(uintptr_t)owner * UINT64_C(0x9e3779b97f4a7c15);
    return &owned[hash >> 32 & (OWNER_BUCKETS - 1)];
}

/* Takes the walker of this owner from the list; NULL: there is none. */
static struct asnap_walker *take_owned(const void *owner)
{
    struct asnap_walker **place = bucket_of(owner);
    while (*place != NULL && (*place)->owner != owner)
        place = &(*place)->next;
    struct asnap_walker *walker = *place;
    if (walker != NULL)
        *place = walker->next;
    return walker;
}

static void put_owned(struct asnap_walker *walker, const void *owner)
{
    struct asnap_walker **bucket = bucket_of(owner);
    walker->owner = owner;
    walker->next = *bucket;
    *bucket = walker;
}

static void put_into_pool(struct asnap_walker *walker)
{
    walker->next = pool;
    pool = walker;
}

void asnap_walker_pool_return(void)
{
    struct asnap_thread *thread = &asnap_thread;
    thread->walker = NULL;
    asnap_lock(&asnap_walker_lock);
    struct asnap_walker *walker = take_owned(thread);
    if (walker != NULL)
        put_into_pool(walker);
    asnap_unlock(&asnap_walker_lock);
}

/* Destructors of the program's that come after this one may allocate as well, and libc may
 * not come to this one again. */
static void end(void *argument)
{
    struct asnap_thread *thread = &asnap_thread;
    (void)argument;
    thread->borrows = true;
    if (thread->walker == NULL || asnap_process_is_copy() || !asnap_gate_enter())
        return;
    asnap_walker_pool_return();
    asnap_gate_leave();
}

void asnap_walker_pool_init(void)
{
    have_key = pthread_key_create(&walker_key, end) == 0;
}

/* A walker that no thread has, which this thread has from now on. A thread whose first
 * allocation was in the last round of its destructors has left one. */
static struct asnap_walker *take_free(void)
{
    struct asnap_thread *thread = &asnap_thread;
    asnap_lock(&asnap_walker_lock);
    struct asnap_walker *walker = take_owned(thread);
    if (walker == NULL && pool != NULL) {
        walker = pool;
        pool = walker->next;
    }
    if (walker != NULL)
        put_owned(walker, thread);
    asnap_unlock(&asnap_walker_lock);
    if (walker != NULL)
        asnap_walker_renew(walker);
    return walker;
}

static struct asnap_walker *create(void)
{
    struct asnap_walker *walker = asnap_walker_create(0);
    if (walker == NULL)
        return NULL;
    asnap_lock(&asnap_walker_lock);
    put_owned(walker, &asnap_thread);
    asnap_unlock(&asnap_walker_lock);
    return walker;
}

struct asnap_walker *asnap_walker_pool_take(void)
{
    struct asnap_thread *thread = &asnap_thread;
    struct asnap_walker *walker = take_free();
    if (walker == NULL)
        walker = create();
    thread->walker = walker;
    if (walker == NULL || thread->borrows)
        return walker;
    enum asnap_activity activity = thread->activity;
    thread->activity = ASNAP_OWN;
    thread->borrows = !have_key || pthread_setspecific(walker_key, walker) != 0;
    thread->activity = activity;
    return walker;
}

void asnap_walker_pool_drop(void)
{
    asnap_lock(&asnap_walker_lock);
    struct asnap_walker *walker = pool;
    pool = NULL;
    asnap_unlock(&asnap_walker_lock);
    while (walker != NULL) {
        struct asnap_walker *next = walker->next;
        asnap_walker_destroy(walker);
        walker = next;
    }
}

/* The thread that forked the process with this number: another thread may allocate before it does,
 * and must leave it what it has. */
static const struct asnap_thread *forked;
static uint32_t forked_process;

void asnap_walker_pool_notice(void)
{
    forked = &asnap_thread;
    __atomic_store_n(&forked_process, asnap_kernel_process(), __ATOMIC_RELEASE);
}

bool asnap_walker_pool_has_notice(void)
{
    return __atomic_load_n(&forked_process, __ATOMIC_ACQUIRE) == asnap_kernel_process();
}

/* The walkers of all threads that this process does not have. The lists are locked since another
 * thread may fork meanwhile: its child must see that they were changed in part. */
static void take_over(const struct asnap_thread *here)
{
    asnap_lock(&asnap_walker_lock);
    struct asnap_walker *own = take_owned(here);
    for (int i = 0; i < OWNER_BUCKETS; i++) {
        struct asnap_walker *next;
        for (struct asnap_walker *walker = owned[i]; walker != NULL; walker = next) {
            next = walker->next;
            put_into_pool(walker);
        }
        owned[i] = NULL;
    }
    if (own != NULL)
        put_owned(own, here);
    asnap_unlock(&asnap_walker_lock);
}

void asnap_walker_pool_mend(const uint32_t *only)
{
    const struct asnap_thread *thread = &asnap_thread;
    if (asnap_lock_is_orphan(&asnap_walker_lock, only)) {
        /* One list or one walker may have been changed in part: nothing of others is of use. */
        pool = NULL;
        for (int i = 0; i < OWNER_BUCKETS; i++)
            owned[i] = NULL;
        if (thread->walker != NULL)
            put_owned(thread->walker, thread);
        __atomic_store_n(&asnap_walker_lock, 0, __ATOMIC_RELEASE);
    } else if (only == NULL) {
        /* Where it is not known which of them the first thread has, all stay as they are: a new
         * thread finds what its place had. */
        if (asnap_walker_pool_has_notice())
            take_over(forked);
        else if (asnap_process_is_first_thread())
            take_over(thread);
    }
}
