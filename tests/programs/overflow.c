/* Overflows its stack in code that allocates, again and again at slightly different depths,
 * so that the overflow comes at every place of malloc, of free, and of realloc. The handler is on
 * an alternate stack and allocates too. With the argument "report" it says so and ends; else it
 * jumps out, and the program goes on allocating. The allocator (libsafealloc.c) has no state that
 * an interruption could break, and room for more than there ever is at a time; what the jump cuts
 * off between allocator and place is lost. A hang ends by SIGALRM. */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIMES 300
#define STACK_BYTES (1UL << 16)
#define KEPT 200
#define DEEPEST 1000

static sigjmp_buf out;
static volatile int report;
static void *in_handler[TIMES];
static volatile size_t overflows;
static void *kept[KEPT];
static void *volatile chain[DEEPEST];
static volatile size_t depth;
static volatile size_t turn;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void on_overflow(int number)
{
    (void)number;
    in_handler[overflows] = malloc(88); /* tag: handler */
    overflows = overflows + 1;
    if (report) {
        if (write(STDOUT_FILENO, "overflow\n", 9) != 9)
            _exit(2);
        _exit(9);
    }
    siglongjmp(out, 1);
}

__attribute__((noinline)) static void descend(size_t padding)
{
    volatile char *room = alloca(padding);
    room[0] = 1;
    size_t level = depth;
    void *block = NULL;
    if (level < DEEPEST && turn % 3 != 0) {
        block = chain[level];
        chain[level] = NULL;
    }
    if (turn % 3 == 0)
        free(malloc(16)); /* tag: level */
    else if (turn % 3 == 1)
        free(block);
    else if (level < DEEPEST)
        chain[level] = realloc(block, 32); /* tag: resized */
    depth = level + 1;
    descend(padding);
    room[padding - 1] = 1;
}

int main(int argc, char **argv)
{
    static char alternate[STACK_BYTES];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    struct sigaction action = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};
    struct rlimit limit = {STACK_BYTES, STACK_BYTES};

    report = argc > 1 && strcmp(argv[1], "report") == 0;
    if (setrlimit(RLIMIT_STACK, &limit) != 0 || sigaltstack(&stack, NULL) != 0 ||
        sigaction(SIGSEGV, &action, NULL) != 0)
        _exit(1);
    alarm(20);
    for (turn = 0; turn < TIMES; turn++) {
        for (size_t level = 0; level < DEEPEST; level++)
            chain[level] = malloc(24); /* tag: before */
        depth = 0;
        if (sigsetjmp(out, 1) == 0)
            descend(64 + 16 * (turn / 3 % 67));
        for (size_t level = 0; level < DEEPEST; level++) {
            free(chain[level]);
            chain[level] = NULL;
        }
    }
    for (size_t i = 0; i < KEPT; i++)
        kept[i] = malloc(120); /* tag: after */
    if (kept[KEPT - 1] == NULL)
        _exit(4);
    stop_here();
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        _exit(3);
    pause();
    _exit(0);
}
