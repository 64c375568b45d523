/* A library that keeps its state consistent over fork with handlers, as libraries do: it takes its
 * lock before, whose owner may be allocating, and starts a thread on both sides. For
 * fork_handlers.c. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

void locky_work(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *volatile last;

static void allocate(void)
{
    void *block = realloc(malloc(100), 200);
    last = block;
    free(block);
}

static void *run(void *argument)
{
    allocate();
    return argument;
}

/* Waits for a thread that allocates. */
static void have_done(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, NULL) != 0 || pthread_join(thread, NULL) != 0)
        _exit(20);
}

void locky_work(void)
{
    pthread_mutex_lock(&lock);
    allocate();
    pthread_mutex_unlock(&lock);
}

static void before(void)
{
    allocate();
    have_done();
    pthread_mutex_lock(&lock);
    allocate();
}

static void after(void)
{
    allocate();
    pthread_mutex_unlock(&lock);
    have_done();
}

__attribute__((constructor)) static void begin(void)
{
    pthread_atfork(before, after, after);
}
