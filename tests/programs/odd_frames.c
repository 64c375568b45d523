/* Frames that no compiler makes: the CFA by another register, by an expression, at the end
 * of a list of remembered states; no unwind information; and code made while the program
 * runs, registered with libgcc, then replaced at the same address by code with another
 * frame. x86-64. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline))

void __register_frame(void *frames);
void __deregister_frame(void *frames);

static void *volatile sink;

typedef void callback(void);

void by_rbx(callback *call);
void by_expression(callback *call);
void remembering(callback *call);
void by_saved_copy(callback *call);
void undescribed(callback *call);

__asm__(".text\n"
        "by_rbx:\n"
        ".cfi_startproc\n"
        "pushq %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbx, -16\n"
        "movq %rsp, %rbx\n"
        ".cfi_def_cfa %rbx, 16\n"
        "subq $56, %rsp\n"
        "andq $-64, %rsp\n"
        "callq *%rdi\n"
        "movq %rbx, %rsp\n"
        "popq %rbx\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        /* DW_CFA_def_cfa_expression: the word at the stack pointer, plus 0 */
        "by_expression:\n"
        ".cfi_startproc\n"
        "leaq 8(%rsp), %rax\n"
        "subq $24, %rsp\n"
        ".cfi_def_cfa_offset 32\n"
        "movq %rax, (%rsp)\n"
        ".cfi_escape 0x0f, 0x03, 0x77, 0x00, 0x06\n"
        "callq *%rdi\n"
        "addq $24, %rsp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        "remembering:\n"
        ".cfi_startproc\n"
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_remember_state\n"
        "pushq %rdi\n"
        ".cfi_def_cfa_offset 24\n"
        ".cfi_remember_state\n"
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 32\n"
        ".cfi_remember_state\n"
        "subq $64, %rsp\n"
        ".cfi_def_cfa_offset 96\n"
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 104\n"
        "addq $72, %rsp\n"
        ".cfi_restore_state\n"
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 40\n"
        "addq $8, %rsp\n"
        ".cfi_def_cfa_offset 32\n"
        "addq $8, %rsp\n"
        ".cfi_restore_state\n"
        "popq %rdi\n"
        ".cfi_restore_state\n"
        "callq *%rdi\n"
        "addq $8, %rsp\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        /* The frame pointer holds something else, and its value is kept in another place. */
        "by_saved_copy:\n"
        ".cfi_startproc\n"
        "pushq %r12\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %r12, -16\n"
        "movq %rbp, %r12\n"
        ".cfi_register %rbp, %r12\n"
        "movq $0x1234567, %rbp\n"
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 24\n"
        "pushq %rax\n"
        ".cfi_def_cfa_offset 32\n"
        "callq *%rdi\n"
        "addq $16, %rsp\n"
        ".cfi_def_cfa_offset 16\n"
        "movq %r12, %rbp\n"
        ".cfi_restore %rbp\n"
        "popq %r12\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".balign 16\n"
        "nop\n"
        "undescribed:\n"
        "subq $8, %rsp\n"
        "callq *%rdi\n"
        "addq $8, %rsp\n"
        "ret\n");

NOINLINE static void allocate(void)
{
    for (int i = 0; i < 3; i++) {
        sink = malloc(10);
        free(sink);
    }
}

NOINLINE static void framed(void)
{
    volatile char *bytes = __builtin_alloca((size_t)(sink != NULL ? 40 : 24));
    bytes[0] = 1;
    allocate();
}

NOINLINE static void nested(void)
{
    by_saved_copy(framed);
    by_rbx(framed);
    allocate();
}

/* A CIE and an FDE of .eh_frame, whose frame has `bytes` beside the return address from the
 * fifth byte of the code on. */
struct frames {
    uint32_t cie_length, cie_id;
    uint8_t cie[8];
    uint8_t cie_code[8];
    uint32_t fde_length, fde_cie;
    uint64_t start, bytes;
    uint8_t fde_code[8];
    uint32_t end;
} __attribute__((packed));

static struct frames frames;

static void make_frames(const unsigned char *code, uint8_t bytes)
{
    static const uint8_t cie[8] = {1, 0, 1, 0x78, 16, 0x0c, 7, 8};
    static const uint8_t cie_code[8] = {0x90, 1};
    memset(&frames, 0, sizeof(frames));
    frames.cie_length = 20;
    memcpy(frames.cie, cie, sizeof(cie));
    memcpy(frames.cie_code, cie_code, sizeof(cie_code));
    frames.fde_length = 28;
    frames.fde_cie = 28;
    frames.start = (uintptr_t)code;
    frames.bytes = 64;
    frames.fde_code[0] = 0x44;
    frames.fde_code[1] = 0x0e;
    frames.fde_code[2] = bytes + 8;
}

/* subq $bytes, %rsp; callq *%rdi; addq $bytes, %rsp; ret */
static void make_code(unsigned char *code, uint8_t bytes)
{
    const unsigned char made[] = {0x48, 0x83, 0xec, bytes, 0xff, 0xd7,
                                  0x48, 0x83, 0xc4, bytes, 0xc3};
    memcpy(code, made, sizeof(made));
}

int main(void)
{
    unsigned char *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return 1;
    for (int i = 0; i < 30; i++) {
        by_rbx(framed);
        by_expression(framed);
        remembering(framed);
        by_saved_copy(nested);
        by_expression(nested);
        undescribed(nested);
        uint8_t bytes = (uint8_t)(8 + 16 * (i % 6));
        callback *made;
        void (*run)(callback *);
        make_code(code, bytes);
        make_frames(code, bytes);
        __register_frame(&frames);
        memcpy(&run, &code, sizeof(run));
        made = i % 2 == 0 ? framed : nested;
        run(made);
        run(made);
        __deregister_frame(&frames);
        run(made);
    }
    return 0;
}
