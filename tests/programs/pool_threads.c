/* Four threads that track blocks of one domain, replace some and give half of them back,
 * while a signal handler of each does the same for another domain. The threads' own
 * memory is libc's: more than the marks is live. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "allocsnap_hooks.h"

#define THREADS 4
#define BLOCKS 1000

static __thread uintptr_t own;
static __thread uintptr_t handled;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void on_signal(int number)
{
    (void)number;
    handled++;
    allocsnap_track(6, own + handled * 16, 3); /* heap: handler size=4*500*3 count=2000 */
}

static void *work(void *argument)
{
    own = ((uintptr_t)argument + 1) << 32;
    for (uintptr_t i = 1; i <= BLOCKS; i++) {
        allocsnap_track(5, own + i * 16, 1);
        allocsnap_track(5, own + i * 16, 7); /* heap: thread size=4*500*7 count=2000 */
        if (i % 2 == 0) {
            allocsnap_untrack(5, own + i * 16);
            raise(SIGALRM);
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct sigaction action = {.sa_handler = on_signal};
    if (sigaction(SIGALRM, &action, NULL) != 0)
        _exit(1);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            _exit(1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stop_here();
    _exit(0);
}
