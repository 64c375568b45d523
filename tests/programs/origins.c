/* Three threads, one after another, then the main one: each asks for a block of a size of its
 * own, and notes its number, and the clock before and after that. The clock goes on between
 * them. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS 4
#define BETWEEN 50000000LL

int threads[BLOCKS];
long long before[BLOCKS]; /* nanoseconds */
long long after[BLOCKS];
void *kept[BLOCKS];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static long long now(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &time) != 0)
        _exit(1);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void *work(void *argument)
{
    size_t i = *(size_t *)argument;
    threads[i] = (int)syscall(SYS_gettid);
    before[i] = now();
    kept[i] = malloc(1000 + i); /* heap: block size=4006 count=4 */
    after[i] = now();
    while (now() < after[i] + BETWEEN)
        sched_yield();
    return NULL;
}

int main(void)
{
    for (size_t i = 0; i < BLOCKS - 1; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, &i) != 0 || pthread_join(thread, NULL) != 0)
            _exit(2);
    }
    size_t last = BLOCKS - 1;
    work(&last);
    stop_here();
    _exit(0);
}
