#include "thread.h"

#include <pthread.h>
#include <stdbool.h>

#include "lock.h"
#include "trace.h"
#include "walker.h"

__thread struct asnap_thread asnap_thread;

/* Takes the walker back when its thread ends. */
static pthread_key_t walker_key;
static bool have_key;

static struct asnap_walker *pool;
static uint32_t pool_lock;

static void give_back(void *argument)
{
    struct asnap_thread *thread = &asnap_thread;
    struct asnap_walker *walker = argument;
    if (thread->walker != walker || !asnap_trace_enter())
        return;
    thread->walker = NULL;
    asnap_lock(&pool_lock);
    walker->next = pool;
    pool = walker;
    asnap_unlock(&pool_lock);
    asnap_trace_leave();
}

void asnap_thread_init(void)
{
    have_key = pthread_key_create(&walker_key, give_back) == 0;
}

static struct asnap_walker *take_from_pool(void)
{
    asnap_lock(&pool_lock);
    struct asnap_walker *walker = pool;
    if (walker != NULL)
        pool = walker->next;
    asnap_unlock(&pool_lock);
    if (walker != NULL)
        asnap_walker_renew(walker);
    return walker;
}

struct asnap_walker *asnap_thread_make_walker(void)
{
    struct asnap_thread *thread = &asnap_thread;
    struct asnap_walker *walker = take_from_pool();
    if (walker == NULL)
        walker = asnap_walker_create(0);
    thread->walker = walker;
    if (walker == NULL)
        return NULL;
    enum asnap_activity activity = thread->activity;
    thread->activity = ASNAP_OWN;
    if (have_key)
        pthread_setspecific(walker_key, walker);
    thread->activity = activity;
    return walker;
}

void asnap_thread_drop_pool(void)
{
    asnap_lock(&pool_lock);
    struct asnap_walker *walker = pool;
    pool = NULL;
    asnap_unlock(&pool_lock);
    while (walker != NULL) {
        struct asnap_walker *next = walker->next;
        asnap_walker_destroy(walker);
        walker = next;
    }
}

void asnap_thread_lock(void)
{
    asnap_lock(&pool_lock);
}

void asnap_thread_unlock(void)
{
    asnap_unlock(&pool_lock);
}
