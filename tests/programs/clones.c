/* clone() by hand: a child that shares the memory and runs on a stack of its own while this
 * thread waits, one that shares it as a thread of the process does, and one that has a copy
 * of the memory, which the C library's fork handlers know nothing of.
 * heap-total: exact */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES (1UL << 16)

static _Alignas(16) char stack[STACK_BYTES];
static void *kept[8];
static pid_t thread_id;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static int share(void *argument)
{
    (void)argument;
    free(kept[0]);
    kept[1] = malloc(201);          /* heap: shared size=201 count=1 */
    kept[2] = realloc(NULL, 202);   /* heap: shared_early size=0 count=0 */
    kept[2] = realloc(kept[2], 40); /* heap: shared_resized size=40 count=1 */
    return 0;
}

static int be_thread(void *argument)
{
    (void)argument;
    free(kept[6]);
    kept[3] = calloc(3, 100); /* heap: thread size=300 count=1 */
    syscall(SYS_exit, 0);
    return 0;
}

static int copy(void *argument)
{
    (void)argument;
    free(kept[1]);
    for (size_t i = 0; i < 1000; i++)
        kept[4] = malloc(5000); /* heap: copied size=0 count=0 */
    return 11;
}

static void start_and_wait(int (*function)(void *), int flags, int wanted)
{
    int status;
    pid_t pid = clone(function, stack + STACK_BYTES, flags | SIGCHLD, NULL);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != wanted)
        _exit(1);
}

/* Without thread-local storage of its own it may run only while this thread does not. */
static void start_thread(void)
{
    thread_id = 1;
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                CLONE_CHILD_CLEARTID;
    if (clone(be_thread, stack + STACK_BYTES, flags, NULL, NULL, NULL, &thread_id) < 0)
        _exit(2);
    while (__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, &thread_id, FUTEX_WAIT, 1, NULL, NULL, 0);
}

int main(void)
{
    kept[0] = malloc(100); /* heap: freed_by_child size=0 count=0 */
    kept[6] = malloc(101); /* heap: freed_by_thread size=0 count=0 */
    start_and_wait(share, CLONE_VM | CLONE_VFORK, 0);
    start_and_wait(copy, 0, 11);
    start_thread();
    kept[5] = malloc(500); /* heap: after size=500 count=1 */
    stop_here();
    _exit(0);
}
