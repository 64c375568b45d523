/* A handler that allocates, run after every single instruction of other code: prologues,
 * epilogues, the lazy binding of functions, hand-written string functions, system calls.
 * The processor's trap flag (x86-64) brings the handler there; elsewhere a timer does, now
 * and then. The allocator is libsafealloc.c. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>

#define NOINLINE __attribute__((noinline))
#define ALTERNATE_BYTES (256 * 1024)

static void *volatile sink;
static volatile size_t handled;
static size_t steps;
static volatile size_t only_at; /* not 0: allocates at this step alone, the last */
static volatile size_t nested;
static char alternate[ALTERNATE_BYTES] __attribute__((aligned(64)));

NOINLINE static void allocate(size_t bytes)
{
    sink = malloc(bytes);
    free(sink);
}

static void on_nested(int number)
{
    (void)number;
    allocate(5);
}

static void last_step(ucontext_t *interrupted)
{
#if defined(__x86_64__)
    interrupted->uc_mcontext.gregs[REG_EFL] &= ~0x100;
#else
    (void)interrupted;
#endif
}

static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    handled = handled + 1;
    steps++;
    if (only_at != 0) {
        if (handled < only_at)
            return;
        last_step(context);
    }
    allocate(handled % 100);
    if (nested != 0 && handled % 64 == 0)
        raise(SIGUSR1);
}

#if defined(__x86_64__)
void begin_steps(void);
void end_steps(void);
__asm__(".text\n"
        ".macro set_flags name, change:vararg\n"
        ".type \\name, @function\n"
        "\\name:\n"
        ".cfi_startproc\n"
        "pushfq\n"
        ".cfi_adjust_cfa_offset 8\n"
        "\\change\n"
        "popfq\n"
        ".cfi_adjust_cfa_offset -8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size \\name, . - \\name\n"
        ".endm\n"
        "set_flags begin_steps, orq $0x100, (%rsp)\n"
        "set_flags end_steps, andq $~0x100, (%rsp)\n");
#else
static void set_timer(long microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void begin_steps(void)
{
    set_timer(200);
}

static void end_steps(void)
{
    set_timer(0);
}
#endif

NOINLINE static unsigned leaf(unsigned number)
{
    return number * 2654435761u >> 7;
}

NOINLINE static unsigned in_frame(unsigned depth)
{
    volatile char locals[100];
    memset((char *)locals, (int)depth, sizeof(locals));
    return depth == 0 ? leaf((unsigned)locals[3]) : in_frame(depth - 1) + (unsigned)locals[1];
}

NOINLINE static unsigned in_aligned_frame(unsigned depth)
{
    volatile char locals[64] __attribute__((aligned(64)));
    locals[depth % 64] = 1;
    return depth == 0 ? leaf((unsigned)locals[3]) : in_aligned_frame(depth - 1) + 1;
}

NOINLINE static unsigned in_variable_frame(unsigned depth)
{
    volatile char locals[depth * 16 + 8];
    locals[0] = 1;
    return depth == 0 ? leaf(7) : in_variable_frame(depth - 1) + (unsigned)locals[0];
}

static int compare(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

/* Each is bound at its first call, with the steps on. */
NOINLINE static size_t library_functions(void)
{
    char text[200];
    char copy[200];
    int numbers[6] = {5, 3, 6, 1, 2, 4};
    struct timespec now;
    struct timeval time_now;
    size_t sum = 0;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(copy, text, sizeof(text));
    memmove(copy + 1, copy, 50);
    sum += strlen(copy) + (size_t)(strchr(copy, 'q') != NULL) + strnlen(copy, 99);
    sum += (size_t)strcmp(copy, text) + (size_t)(strstr(copy, "aab") != NULL);
    sum += (size_t)(memchr(copy, 'z', 100) != NULL) + wcslen(L"a wide text");
    qsort(numbers, 6, sizeof(numbers[0]), compare);
    clock_gettime(CLOCK_MONOTONIC, &now);
    gettimeofday(&time_now, NULL);
    snprintf(copy, sizeof(copy), "%d %s %.3f", numbers[0], "text", 1.25);
    sum += (size_t)getpid() + (size_t)strtoul("12345", NULL, 10);
    sum += (size_t)write(-1, copy, 1);
    return sum;
}

static jmp_buf back;

NOINLINE static void jump(unsigned depth)
{
    volatile unsigned kept = depth;
    if (depth == 0)
        longjmp(back, 1);
    jump(depth - 1);
    in_frame(kept);
}

/* The hooks are what is interrupted here. What a handler allocates then is left for the
 * hooks to do: one at a time, or they would never come to an end. */
NOINLINE static void allocations(void)
{
    for (size_t at = 1 + nested; at < 700; at += 11) {
        handled = 0;
        only_at = at;
        begin_steps();
        void *block = malloc(20);
        block = realloc(block, 40);
        free(block);
        free(calloc(3, 7));
        end_steps();
    }
    only_at = 0;
}

NOINLINE static void all_steps(void)
{
    begin_steps();
    in_frame(4);
    in_aligned_frame(3);
    in_variable_frame(3);
    library_functions();
    if (setjmp(back) == 0)
        jump(3);
    end_steps();
    allocations();
}

static void handle(int flags)
{
    struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | flags};
    struct sigaction inner = {.sa_handler = on_nested, .sa_flags = flags};
    sigaction(SIGTRAP, &step, NULL);
    sigaction(SIGALRM, &step, NULL);
    sigaction(SIGUSR1, &inner, NULL);
}

static void *run(void *argument)
{
    (void)argument;
    all_steps();
    return NULL;
}

int main(void)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    pthread_t thread;
    handle(0);
    all_steps();
    if (sigaltstack(&stack, NULL) != 0)
        return 1;
    handle(SA_ONSTACK);
    all_steps();
    nested = 1;
    all_steps();
#if defined(__x86_64__)
    /* A timer does not wait for its handler. */
    handle(SA_ONSTACK | SA_NODEFER);
    all_steps();
#endif
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    printf("%zu steps\n", steps);
    return 0;
}
