/* Prints "FUNCTION: REGISTER" of each register that has a block's address when the function that
 * has handed it out returns, beside the one that returns it, and "FUNCTION: stack N" where it is N
 * bytes below the stack pointer then. */
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <new>

enum { CHANGED = 8, BELOW = 20 }; /* words: the red zone, and 32 bytes more */
static const char *const names[CHANGED] = {"rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"};
static uintptr_t left[CHANGED];
static uintptr_t below[BELOW];

/* Calls a function, and notes what the registers have then that calls may change, and what lies
 * below the stack pointer. */
static uintptr_t call(const void *function, uintptr_t one, uintptr_t two, uintptr_t three)
{
    uintptr_t result = (uintptr_t)function;
    register uintptr_t *to __asm__("r14") = below;
    __asm__ volatile("movq %%rsp, %%r12\n\tsubq $128, %%rsp\n\tandq $-16, %%rsp\n\t"
                     "call *%%rax\n\tleaq -160(%%rsp), %%r13\n\tmovq %%r12, %%rsp\n\t"
                     "movq %%rcx, (%%rbx)\n\tmovq %%rdx, 8(%%rbx)\n\tmovq %%rsi, 16(%%rbx)\n\t"
                     "movq %%rdi, 24(%%rbx)\n\tmovq %%r8, 32(%%rbx)\n\tmovq %%r9, 40(%%rbx)\n\t"
                     "movq %%r10, 48(%%rbx)\n\tmovq %%r11, 56(%%rbx)\n\t"
                     "movq %%r13, %%rsi\n\tmovq %%r14, %%rdi\n\tmovl $20, %%ecx\n\trep movsq"
                     : "+a"(result), "+D"(one), "+S"(two), "+d"(three)
                     : "b"(left), "r"(to)
                     : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "xmm0", "xmm1", "xmm2",
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory", "cc");
    return result;
}

static void look(const char *function, uintptr_t block, size_t size)
{
    if (block == 0)
        abort();
    for (int i = 0; i < CHANGED; i++)
        if (left[i] - block < size)
            printf("%s: %s\n", function, names[i]);
    for (int i = 0; i < BELOW; i++)
        if (below[i] - block < size)
            printf("%s: stack %d\n", function, 8 * (BELOW - i));
}

#define LOOK(FUNCTION, SIZE, ...) look(#FUNCTION, call((void *)(FUNCTION), __VA_ARGS__), SIZE)

using plain = void *(*)(size_t);
using aligned = void *(*)(size_t, std::align_val_t);

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? std::atoi(argv[1]) : 1;
    for (int round = 0; round < rounds; round++) {
        void *block = nullptr;
        void *grown = malloc(40);
        LOOK(malloc, 101, 101, 0, 0);
        LOOK(calloc, 143, 11, 13, 0);
        LOOK(realloc, 201, 0, 201, 0);
        LOOK(realloc, 5001, (uintptr_t)grown, 5001, 0);
        LOOK(reallocarray, 77, 0, 7, 11);
        LOOK(aligned_alloc, 448, 64, 448, 0);
        LOOK(memalign, 551, 64, 551, 0);
        LOOK(valloc, 99, 99, 0, 0);
        LOOK(pvalloc, 99, 99, 0, 0);
        call((void *)posix_memalign, (uintptr_t)&block, 64, 301);
        look("posix_memalign", (uintptr_t)block, 301);
        LOOK((plain) operator new, 55, 55, 0, 0);
        LOOK((plain) operator new[], 56, 56, 0, 0);
        LOOK((aligned) operator new, 57, 57, 64, 0);
        LOOK((aligned) operator new[], 58, 58, 64, 0);
    }
    puts("done");
    return 0;
}
