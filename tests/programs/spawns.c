/* Starts programs in every way there is, from one with blocks of its own; what it starts
 * is this program again, traced as well, which allocates and ends with the status it is
 * told. With the argument "exec" it becomes another instance of itself, which comes to
 * stop_here with the block of one mark alone.
 * heap-total: exact */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMES 20

extern char **environ;

static void *kept[TIMES * 4 + 2];
static size_t kept_count;
static char self[4096];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void expect(pid_t pid, int wanted)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != wanted)
        _exit(2);
    kept[kept_count++] = malloc(100); /* heap: after_each size=60*100 count=60 */
}

static char *const words[] = {self, "end", "5", NULL};

static void by_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        /* The parent's memory: what is kept here is the parent's. */
        free(malloc(300));               /* heap: freed_in_vfork size=0 count=0 */
        kept[kept_count++] = malloc(40); /* heap: kept_in_vfork size=20*40 count=20 */
        execve(self, words, environ);
        _exit(3);
    }
    expect(pid, 5);
}

static void by_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (malloc(300) == NULL) /* heap: before_exec size=0 count=0 */
            _exit(3);
        execve(self, words, environ);
        _exit(3);
    }
    expect(pid, 5);
}

static void by_spawn(void)
{
    pid_t pid;
    if (posix_spawn(&pid, self, NULL, NULL, words, environ) != 0)
        _exit(3);
    expect(pid, 5);
}

static void by_system(void)
{
    static char line[sizeof(self) + 16];
    snprintf(line, sizeof(line), "'%s' end 6", self);
    int status = system(line);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 6)
        _exit(4);
}

/* The second life of "exec", and what the others start. */
static void be_started(const char *how, const char *number)
{
    for (size_t i = 0; i < 100; i++)
        free(malloc(i));  /* heap: started size=0 count=0 */
    kept[0] = malloc(64); /* tag: second life */
    if (strcmp(how, "end") == 0)
        _exit(atoi(number));
    stop_here();
    _exit(0);
}

int main(int argc, char **argv)
{
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
        _exit(1);
    if (argc > 2)
        be_started(argv[1], argv[2]);
    if (argc > 1) {
        kept[0] = malloc(1000); /* heap: first_life size=0 count=0 */
        execl(self, self, "stop", "0", (char *)NULL);
        _exit(1);
    }
    for (size_t i = 0; i < TIMES; i++) {
        by_vfork();
        by_fork();
        by_spawn();
        by_system();
    }
    stop_here();
    _exit(0);
}
