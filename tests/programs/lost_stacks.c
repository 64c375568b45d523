/* Stacks that lead on to memory that is not there any more, in programs that do nothing wrong:
 * `lost_stacks CASE`, of
 *   call    a function switches to another stack, which unmaps the first
 *   protect the same, but the first becomes unreadable
 *   above   a coroutine is made in a signal handler with a stack of its own, by a thread that ends
 *           and whose stack, above the coroutine's, is unmapped
 *   below   the same, its stack below the coroutine's
 * Each allocates before and after, ends with status 0, and for x86-64 only. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES 65536UL
#define THREAD_BYTES 262144UL

static const char *wanted;
static char *first_stack, *second_stack;
static char *creator_stack, *coroutine_stack;
static sigjmp_buf coroutine, caller;
static volatile int is_made;
static void *volatile block;

__attribute__((noinline)) static void allocate(void)
{
    block = malloc(10);
    free(block);
}

static char *map(size_t bytes, int rights)
{
    char *memory = mmap(NULL, bytes, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    return memory;
}

__attribute__((noinline)) static void call_on(char *top, void (*function)(void))
{
    __asm__ volatile("mov %%rsp,%%rbx; mov %0,%%rsp; call *%1; mov %%rbx,%%rsp"
                     :
                     : "r"(top), "r"(function)
                     : "rbx", "memory", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
                       "r11");
}

__attribute__((noinline)) static void on_second(void)
{
    for (int i = 0; i < 20; i++) {
        if (i == 10 && strcmp(wanted, "call") == 0)
            munmap(first_stack, BYTES);
        if (i == 10 && strcmp(wanted, "protect") == 0)
            mprotect(first_stack, BYTES, PROT_NONE);
        allocate();
    }
    _exit(0);
}

__attribute__((noinline)) static void on_first(void)
{
    call_on(second_stack + BYTES - 64, on_second);
}

__attribute__((noinline)) static void run_coroutine(void)
{
    for (;;) {
        allocate();
        if (sigsetjmp(coroutine, 0) == 0)
            siglongjmp(caller, 1);
    }
}

static void on_signal(int number)
{
    (void)number;
    if (sigsetjmp(coroutine, 0) == 0) {
        is_made = 1;
        return;
    }
    run_coroutine();
}

static void *create(void *argument)
{
    stack_t stack = {.ss_sp = coroutine_stack, .ss_size = BYTES};
    stack_t none = {.ss_flags = SS_DISABLE};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    if (sigaction(SIGUSR2, &action, NULL) != 0 || sigaltstack(&stack, NULL) != 0 ||
        raise(SIGUSR2) != 0 || !is_made || sigaltstack(&none, NULL) != 0)
        _exit(1);
    return argument;
}

__attribute__((noinline)) static void resume(void)
{
    if (sigsetjmp(caller, 0) == 0)
        siglongjmp(coroutine, 1);
}

static void run_with_lost_creator(int is_above)
{
    char *both = map(BYTES + THREAD_BYTES, PROT_READ | PROT_WRITE);
    pthread_attr_t attributes;
    pthread_t thread;
    coroutine_stack = is_above ? both : both + THREAD_BYTES;
    creator_stack = is_above ? both + BYTES : both;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstack(&attributes, creator_stack, THREAD_BYTES) != 0 ||
        pthread_create(&thread, &attributes, create, NULL) != 0 || pthread_join(thread, NULL) != 0)
        _exit(1);
    for (int i = 0; i < 5; i++)
        resume();
    munmap(creator_stack, THREAD_BYTES);
    for (int i = 0; i < 5; i++)
        resume();
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    wanted = argv[1];
    if (strcmp(wanted, "above") == 0 || strcmp(wanted, "below") == 0) {
        run_with_lost_creator(strcmp(wanted, "above") == 0);
        return 0;
    }
    first_stack = map(BYTES, PROT_READ | PROT_WRITE);
    map(BYTES, PROT_NONE);
    second_stack = map(BYTES, PROT_READ | PROT_WRITE);
    call_on(first_stack + BYTES - 64, on_first);
    return 1;
}
