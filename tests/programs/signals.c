/* A handler that allocates and frees, run by a timer at any instruction of a main
 * loop that does the same. The allocator below (libsafealloc.c) allows that, so
 * what the handler interrupts at will is the hooks. The handler keeps the first
 * KEPT blocks it makes, and the main loop goes on until it has them all. */
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define KEPT 1000

static void *from_handler[KEPT];
static volatile sig_atomic_t kept;
static void *volatile given_up;
static void *ring[100];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void on_signal(int number)
{
    (void)number;
    if (kept == KEPT)
        return;
    from_handler[kept] = malloc(48); /* heap: handler size=1000*48 count=1000 */
    kept = kept + 1;
    free(malloc(24)); /* heap: handler_freed size=0 count=0 */
    void *old = given_up;
    given_up = NULL;
    free(old);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct itimerval soon = {{0, 0}, {0, 0}};
    int armed = -1;

    if (sigaction(SIGALRM, &action, NULL) != 0)
        _exit(1);
    for (size_t i = 0; kept < KEPT; i++) {
        /* One signal at a time, so that the loop comes on however long each takes. */
        if (armed != kept) {
            armed = kept;
            soon.it_value.tv_usec = 20 + armed % 61;
            if (setitimer(ITIMER_REAL, &soon, NULL) != 0)
                _exit(2);
        }
        free(ring[i % 100]);
        ring[i % 100] = malloc(i % 1000); /* heap: churn size=0 count=0 */
        if (given_up == NULL)
            given_up = malloc(16); /* heap: for_the_handler size=0 count=0 */
    }
    signal(SIGALRM, SIG_IGN);
    for (size_t i = 0; i < 100; i++) {
        free(ring[i]);
        ring[i] = malloc(40); /* heap: main size=100*40 count=100 */
    }
    free(given_up);
    stop_here();
    _exit(0);
}
