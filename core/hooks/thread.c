#include "thread.h"

#include <pthread.h>
#include <stdbool.h>

#include "pages.h"

__thread struct asnap_thread asnap_thread;

/* Gives the room back when its thread ends. */
static pthread_key_t frames_key;
static bool have_key;

static void drop_frames(void *frames)
{
    struct asnap_thread *thread = &asnap_thread;
    if (thread->frames != frames)
        return;
    thread->frames = NULL;
    asnap_pages_unmap(frames, thread->frames_capacity * sizeof(uint64_t));
    thread->frames_capacity = 0;
}

void asnap_thread_init(void)
{
    have_key = pthread_key_create(&frames_key, drop_frames) == 0;
}

uint64_t *asnap_thread_frames(size_t limit)
{
    struct asnap_thread *thread = &asnap_thread;
    if (thread->frames_capacity >= limit)
        return thread->frames;
    uint64_t *frames = asnap_pages_map(limit * sizeof(*frames));
    if (frames == NULL)
        return NULL;
    asnap_pages_unmap(thread->frames, thread->frames_capacity * sizeof(*frames));
    thread->frames = frames;
    thread->frames_capacity = limit;
    enum asnap_activity activity = thread->activity;
    thread->activity = ASNAP_OWN;
    if (have_key)
        pthread_setspecific(frames_key, frames);
    thread->activity = activity;
    return frames;
}
