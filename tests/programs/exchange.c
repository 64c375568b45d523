/* Eight threads on two processors, each of which allocates blocks and hands them to the
 * next, which frees all but every tenth. Marks with in=full hold at the first stop_here,
 * when each thread holds what it will free, and nothing has been freed yet: the peak.
 * Those with in=exchanged hold at the second. What pthread_create keeps for each thread
 * is there at both. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8
#define OWN 2000
#define PASSED 20000
#define ROOM 64

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void *blocks[ROOM];
    size_t sent;
    size_t taken;
};

static struct queue queues[THREADS];
static void *own[THREADS][OWN];
static void *kept[THREADS][PASSED / 10];
static pthread_t threads[THREADS];
static pthread_barrier_t barrier;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void send(struct queue *queue, void *block)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->sent - queue->taken == ROOM)
        pthread_cond_wait(&queue->changed, &queue->lock);
    queue->blocks[queue->sent++ % ROOM] = block;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static void *take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->sent == queue->taken)
        pthread_cond_wait(&queue->changed, &queue->lock);
    void *block = queue->blocks[queue->taken++ % ROOM];
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return block;
}

/* Sends one and takes one at a time, so that all eight come on. */
static void exchange(size_t self)
{
    for (size_t i = 0; i < PASSED; i++) {
        void *mine = malloc(32); /* heap: passed size=8*2000*32 count=8*2000 in=exchanged */
        send(&queues[(self + 1) % THREADS], mine);
        void *block = take(&queues[self]);
        if (i % 10 == 0)
            kept[self][i / 10] = block;
        else
            free(block);
    }
}

static void *work(void *argument)
{
    size_t self = (size_t)argument;
    for (size_t i = 0; i < OWN; i++)
        own[self][i] = malloc(1000); /* heap: own size=8*2000*1000 count=8*2000 in=full */
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < OWN; i++)
        free(own[(self + 3) % THREADS][i]);
    exchange(self);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    cpu_set_t two;
    CPU_ZERO(&two);
    CPU_SET(0, &two);
    CPU_SET(1, &two);
    sched_setaffinity(0, sizeof(two), &two); /* where there are others */
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_mutex_init(&queues[i].lock, NULL);
        pthread_cond_init(&queues[i].changed, NULL);
    }
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            _exit(1);
    pthread_barrier_wait(&barrier);
    stop_here();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    stop_here();
    _exit(0);
}
