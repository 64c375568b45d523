/* Makes children in ways of which libc tells nobody, while threads allocate: each child goes on
 * allocating, at once. The allocator is libsafealloc.c, which any child may use. What hangs ends
 * by SIGALRM.
 *
 *     fork_anyhow HOW CHILDREN
 *
 * HOW is `_Fork`; `clone`: the system call; `vfork`; or `handler`: a fork by the handler of a
 * timer, which interrupts the main thread anywhere: the child returns from the handler too. The
 * last child comes to stop_here. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 2
#define RING 16
#define IN_CHILD 100

static atomic_bool enough;
static void *volatile rings[THREADS + 1][RING];
static void *in_child[IN_CHILD];
static volatile sig_atomic_t left;
static volatile sig_atomic_t is_child;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void churn_once(void *volatile *ring, size_t i)
{
    free(ring[i % RING]);
    ring[i % RING] = realloc(malloc(16 + i % 100), 16 + i % 600); /* tag: churn */
}

static void *churn(void *argument)
{
    for (size_t i = 0; !atomic_load(&enough); i++)
        churn_once(rings[(size_t)argument], i);
    return NULL;
}

static void be_child(bool last)
{
    alarm(60);
    for (size_t i = 0; i < IN_CHILD; i++)
        in_child[i] = malloc(80); /* tag: in child */
    for (size_t i = 0; i < IN_CHILD; i += 2)
        free(in_child[i]);
    for (size_t i = 1; i < IN_CHILD; i += 2)
        in_child[i] = realloc(in_child[i], 90); /* tag: resized in child */
    if (last)
        stop_here();
    _exit(7);
}

static void wait_for(pid_t pid)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 7)
        _exit(2);
}

static void make_child(const char *how, bool last)
{
    pid_t pid;
    if (strcmp(how, "vfork") == 0) {
        pid = vfork();
        if (pid == 0) {
            free(malloc(100));
            _exit(7);
        }
    } else {
        pid = strcmp(how, "clone") == 0 ? (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL)
                                        : _Fork();
        if (pid == 0)
            be_child(last);
    }
    wait_for(pid);
}

static void set_timer(void)
{
    struct itimerval soon = {{0, 0}, {0, 1 + left % 29}};
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void on_timer(int number)
{
    (void)number;
    free(malloc(50));
    pid_t pid = _Fork();
    if (pid == 0) {
        is_child = 1;
        free(malloc(60));
        return;
    }
    wait_for(pid);
    left = left - 1;
    if (left > 0)
        set_timer();
}

/* Until the handler has made all children. */
static void be_interrupted(void)
{
    struct sigaction action = {.sa_handler = on_timer};
    sigaction(SIGALRM, &action, NULL);
    set_timer();
    size_t i = 0;
    while (left > 0 && !is_child)
        churn_once(rings[THREADS], i++);
    if (is_child) {
        signal(SIGALRM, SIG_DFL);
        be_child(left == 1);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    if (argc != 3)
        return 1;
    left = atoi(argv[2]);
    sigset_t timer;
    sigemptyset(&timer);
    sigaddset(&timer, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &timer, NULL);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, churn, (void *)i) != 0)
            return 1;
    pthread_sigmask(SIG_UNBLOCK, &timer, NULL);
    if (strcmp(argv[1], "handler") == 0)
        be_interrupted();
    alarm(100);
    for (; left > 0; left = left - 1)
        make_child(argv[1], left == 1);
    atomic_store(&enough, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
