/* Requests as a debugger writes them, while the handler of a timer tells of pools at any moment,
 * also while a request is obeyed. Before it a hook was called deeper in the stack, so that the
 * hook that the handler interrupts lies above the one before. What the last request left is in the
 * marks. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "allocsnap_hooks.h"
#include "allocsnap_table.h"

enum { ROUNDS = 200, RECORDS = 2000, IN_HANDLER = 64 };

extern struct asnap_table_root allocsnap_table __attribute__((weak));

static volatile sig_atomic_t hits;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void on_timer(int number)
{
    (void)number;
    hits = hits + 1;
    for (uintptr_t i = 1; i <= IN_HANDLER; i++)
        allocsnap_track(1, i * 4096, 8);
}

static __attribute__((noinline)) char track_below(int depth)
{
    volatile char stack[8192];
    stack[0] = (char)depth;
    if (depth != 0)
        return (char)(track_below(depth - 1) + stack[0]);
    allocsnap_track(2, 4096, 8);
    return stack[0];
}

static void ask_for_clear(void)
{
    if (&allocsnap_table == NULL)
        return;
    allocsnap_table.control.clear++;
    __atomic_fetch_add(&allocsnap_table.control.sequence, 1, __ATOMIC_RELEASE);
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_timer;
    action.sa_flags = SA_RESTART;
    struct itimerval often = {{0, 1000}, {0, 1000}};
    if (sigaction(SIGVTALRM, &action, NULL) != 0 || setitimer(ITIMER_VIRTUAL, &often, NULL) != 0)
        return 1;
    for (int round = 0; round < ROUNDS || hits < ROUNDS; round++) {
        for (uintptr_t i = 1; i <= RECORDS; i++)
            allocsnap_track(2, i << 20, 8);
        track_below(3);
        ask_for_clear();
        allocsnap_track(2, 4096, 8);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_VIRTUAL, &never, NULL);
    signal(SIGVTALRM, SIG_IGN);
    ask_for_clear();
    for (uintptr_t i = 1; i <= 10; i++)
        allocsnap_track(2, i * 4096, 8); /* heap: last size=80 count=10 */
    stop_here();
    _exit(0);
}
