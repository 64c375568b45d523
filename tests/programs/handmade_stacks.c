/* Stacks made by hand that end in ways of their own: the oldest return address is 0, no
 * address, or one that was never called from, and above it lies garbage, another stack, or
 * nothing any more. A walk must end there, whatever was there before. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline))
#define STACK_BYTES 65536
#define ALLOCATIONS 50

static void *volatile sink;
static volatile unsigned allocations;

/* Calls `function` with its stack at `top`, where it finds `return_address`; it ends with
 * leave_stack, which returns from enter_stack. */
void enter_stack(char *top, uint64_t return_address, void (*function)(void));
void leave_stack(void);
/* An address in a function that says that it has a large frame. */
void never_called_from(void);

#if defined(__x86_64__)
__asm__(".text\n"
        "enter_stack:\n"
        "pushq %rbp\n"
        "pushq %rbx\n"
        "pushq %r12\n"
        "pushq %r13\n"
        "pushq %r14\n"
        "pushq %r15\n"
        "movq %rsp, left_stack(%rip)\n"
        "movq %rdi, %rsp\n"
        "pushq %rsi\n"
        "jmpq *%rdx\n"
        "leave_stack:\n"
        "movq left_stack(%rip), %rsp\n"
        "popq %r15\n"
        "popq %r14\n"
        "popq %r13\n"
        "popq %r12\n"
        "popq %rbx\n"
        "popq %rbp\n"
        "ret\n"
        "large_frame:\n"
        ".cfi_startproc\n"
        ".cfi_def_cfa_offset 8192\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "nop\n"
        "never_called_from:\n"
        "ret\n"
        ".cfi_endproc\n"
        ".local left_stack\n"
        ".comm left_stack, 8, 8\n");
#else
#error "the switch of stacks is written for x86-64"
#endif

NOINLINE static void allocate(size_t bytes)
{
    sink = malloc(bytes);
    free(sink);
    allocations = allocations + 1;
}

NOINLINE static unsigned work(unsigned depth)
{
    volatile char pad[40];
    pad[depth % 40] = 1;
    allocate(depth + 1);
    return depth == 0 ? 0 : work(depth - 1) + (unsigned)pad[depth % 40];
}

static void run(void)
{
    for (unsigned i = 0; i < ALLOCATIONS; i++)
        work(i % 4);
    leave_stack();
    abort();
}

int main(void)
{
    static const int fills[] = {0, 0xff, 0x41};
    for (unsigned i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        const uint64_t bases[] = {0,
                                  1,
                                  UINT64_MAX,
                                  0x4141414141414141,
                                  (uintptr_t)&sink,
                                  (uintptr_t)&fills,
                                  (uintptr_t)never_called_from,
                                  (uintptr_t)main,
                                  (uintptr_t)malloc,
                                  (uintptr_t)&bases};
        for (unsigned j = 0; j < sizeof(bases) / sizeof(bases[0]); j++) {
            char *stack = mmap(NULL, (size_t)2 * STACK_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (stack == MAP_FAILED)
                return 1;
            char *top = stack + STACK_BYTES;
            memset(stack, fills[i], (size_t)2 * STACK_BYTES);
            enter_stack(top, bases[j], run);
            work(3);
            enter_stack(top + STACK_BYTES, bases[j], run);
            enter_stack(top, bases[j], run);
            if (munmap(top, STACK_BYTES) != 0)
                return 2;
            enter_stack(top, bases[j], run);
            if (munmap(stack, STACK_BYTES) != 0)
                return 3;
        }
    }
    printf("%u allocations\n", allocations);
    return 0;
}
