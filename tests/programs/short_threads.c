/* Threads that end: eight that leave a thousand blocks each behind, then thousands that
 * live for a few allocations. The first stop_here is after a hundred of these, the second
 * after 5,000 more. The marks hold at both. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define HOLDERS 8
#define HELD 1000

static void *held[HOLDERS][HELD];
static void *freed_by_another;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *hold(void *argument)
{
    size_t self = (size_t)argument;
    for (size_t i = 0; i < HELD; i++)
        held[self][i] = malloc(72); /* heap: left_behind size=8*1000*72 count=8*1000 */
    return NULL;
}

static void *live_briefly(void *argument)
{
    (void)argument;
    free(freed_by_another);
    freed_by_another = malloc(56); /* heap: last_of_the_brief size=56 count=1 */
    for (size_t i = 0; i < 20; i++)
        free(malloc(i * 8)); /* heap: brief size=0 count=0 */
    return NULL;
}

static void run(void *(*function)(void *), size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, function, (void *)i) != 0)
            _exit(1);
        if (pthread_join(thread, NULL) != 0)
            _exit(2);
    }
}

int main(void)
{
    run(hold, HOLDERS);
    run(live_briefly, 100);
    stop_here();
    run(live_briefly, 5000);
    stop_here();
    _exit(0);
}
