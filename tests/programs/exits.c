/* Ends as its argument says, with a handler and a destructor of which each frees a block of the
 * three that it holds. Before that it calls a function that is named as the C library's is, and has
 * a child that ends. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *for_handler;
static void *for_destructor;
static void *kept;

static void free_one(void)
{
    free(for_handler);
}

__attribute__((destructor)) static void free_another(void)
{
    free(for_destructor);
}

/* Another function of that name, which comes back. */
__attribute__((noinline)) static int other_exit(int status) __asm__("_Exit");
static int other_exit(int status)
{
    __asm__ volatile("");
    return status;
}

int main(int count, char **words)
{
    const char *way = count > 1 ? words[1] : "return";
    if (other_exit(7) != 7 || atexit(free_one) != 0 || at_quick_exit(free_one) != 0)
        return 1;
    for_handler = malloc(100);
    for_destructor = malloc(200);
    kept = malloc(300);
    pid_t child = fork();
    if (child == 0)
        exit(3);
    int status;
    if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3)
        return 2;
    if (strcmp(way, "exit") == 0)
        exit(0);
    if (strcmp(way, "quick_exit") == 0)
        quick_exit(0);
    if (strcmp(way, "_exit") == 0)
        _exit(0);
    return 0;
}
