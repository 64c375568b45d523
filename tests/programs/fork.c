/* Parent and child, each with a heap of its own at its own stop_here; the child
 * stops first, and the parent when the child has ended. Marks with `in` hold for
 * one of them, the others for both.
 * heap-total: exact */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *kept[64];
static void *inherited[10];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void child(void)
{
    for (size_t i = 0; i < 10; i++)
        free(inherited[i]);
    for (size_t i = 20; i < 25; i++)
        kept[i] = malloc(50);         /* heap: child_only size=250 count=5 in=child */
    kept[0] = realloc(kept[0], 2000); /* heap: child_grown size=2000 count=1 in=child */
    stop_here();
    _exit(0);
}

int main(void)
{
    kept[0] = malloc(1000); /* heap: parent_size size=1000 count=1 in=parent */
    for (size_t i = 1; i < 11; i++)
        kept[i] = malloc(30); /* heap: shared size=300 count=10 */
    for (size_t i = 0; i < 10; i++)
        inherited[i] = malloc(40); /* heap: freed_by_child size=400 count=10 in=parent */
    pid_t pid = fork();
    if (pid < 0)
        _exit(1);
    if (pid == 0)
        child();
    kept[30] = malloc(60); /* heap: parent_only size=60 count=1 in=parent */
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        _exit(1);
    stop_here();
    _exit(0);
}
