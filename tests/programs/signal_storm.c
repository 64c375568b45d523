/* Signals as fast as they are taken, from a timer and from another thread, to a thread that
 * allocates in its main loop and in both handlers, of which each can interrupt the other.
 * The next signal of a kind is sent when the main loop has come on since the last, by
 * however little: it ends on any machine. The allocator below (libsafealloc.c) allows all
 * that. When both handlers have run often enough everything is at rest, and the
 * program says so and waits: what it then holds is in the marks.
 * The thread's own memory is the C library's. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define KEPT 500
#define RUNS 5000

static void *from_timer[KEPT];
static void *from_thread[KEPT];
static volatile sig_atomic_t timer_runs;
static volatile sig_atomic_t thread_runs;
static void *volatile for_handlers;
static void *ring[100];
static pthread_t main_thread;
static volatile bool wanted; /* by the main loop: a signal of the other thread */
static volatile bool enough;

static void on_timer(int number)
{
    (void)number;
    if (timer_runs < KEPT)
        from_timer[timer_runs] = malloc(48); /* tag: timer */
    timer_runs = timer_runs + 1;
    char *block = malloc(24);
    memset(block, 'x', 24);
    block = realloc(block, 200);
    for (size_t i = 0; i < 24; i++)
        if (block[i] != 'x')
            _exit(4);
    free(block);
    free(__atomic_exchange_n(&for_handlers, NULL, __ATOMIC_RELAXED));
}

static void on_thread(int number)
{
    (void)number;
    if (thread_runs < KEPT)
        from_thread[thread_runs] = calloc(1, 56); /* tag: thread */
    thread_runs = thread_runs + 1;
    free(malloc(40));
    free(__atomic_exchange_n(&for_handlers, malloc(32), __ATOMIC_RELAXED));
}

static void *send(void *argument)
{
    (void)argument;
    while (!enough)
        if (__atomic_exchange_n(&wanted, false, __ATOMIC_ACQ_REL))
            pthread_kill(main_thread, SIGUSR1);
    return NULL;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    if (sigaction(number, &action, NULL) != 0)
        _exit(1);
}

int main(void)
{
    struct itimerval soon = {{0, 0}, {0, 0}};
    int armed = -1;
    int seen = -1;
    pthread_t sender;

    main_thread = pthread_self();
    handle(SIGALRM, on_timer);
    handle(SIGUSR1, on_thread);
    /* The timer's signal is for the main thread: any that does not block it could get it. */
    sigset_t timer;
    sigemptyset(&timer);
    sigaddset(&timer, SIGALRM);
    if (pthread_sigmask(SIG_BLOCK, &timer, NULL) != 0 ||
        pthread_create(&sender, NULL, send, NULL) != 0 ||
        pthread_sigmask(SIG_UNBLOCK, &timer, NULL) != 0)
        _exit(2);
    for (size_t i = 0; timer_runs < RUNS || thread_runs < RUNS; i++) {
        if (armed != timer_runs) {
            armed = timer_runs;
            soon.it_value.tv_usec = 1 + armed % 29;
            setitimer(ITIMER_REAL, &soon, NULL);
        }
        if (seen != thread_runs) {
            seen = thread_runs;
            __atomic_store_n(&wanted, true, __ATOMIC_RELEASE);
        }
        free(ring[i % 100]);
        ring[i % 100] = malloc(i % 1000);
        ring[i % 100] = realloc(ring[i % 100], 1 + i % 2000);
        free(__atomic_exchange_n(&for_handlers, malloc(16), __ATOMIC_RELAXED));
    }
    enough = true;
    pthread_join(sender, NULL);
    signal(SIGALRM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    for (size_t i = 0; i < 100; i++) {
        free(ring[i]);
        ring[i] = malloc(64); /* tag: main */
    }
    free(for_handlers);
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        _exit(3);
    pause();
    _exit(0);
}
