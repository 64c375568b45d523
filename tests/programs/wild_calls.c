/* Calls through pointers that lead to no code, or to code that nothing is known of, each with a
 * handler that allocates: block N of case N has 1000 + N bytes. All happens twice, the second time
 * below a function whose frame is found by a register that walks with few registers do not have:
 * blocks of 2000 + N bytes. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static volatile int data[16] = {1};
static const volatile int constants[16] = {1};
static void *kept[64];
static sigjmp_buf back;
static size_t size;
static int count;

typedef void function(void);
typedef void user(function *target);

NOINLINE void stop_here(void)
{
    __asm__ volatile("");
}

NOINLINE void done(void)
{
    __asm__ volatile("");
}

static void handler(int number)
{
    (void)number;
    kept[count++] = malloc(size), stop_here(); /* tag: handler */
    siglongjmp(back, 1);
}

void by_register(user *use, function *target);
void jump(function *target);
void return_to(function *target);
void return_below_data(function *target);

/* Hidden, so that their addresses are not in the global offset table: an assembler of aarch64 puts
 * that of their section there, since they are local. */
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN void faults_at_once(void);
HIDDEN void faults_later(void);

#if defined(__x86_64__)
__asm__(".pushsection .text.frames, \"ax\"\n"
        ".type by_register, %function\n"
        "by_register:\n"
        ".cfi_startproc\n"
        "pushq %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbx, -16\n"
        "movq %rsp, %rbx\n"
        ".cfi_def_cfa %rbx, 16\n"
        "subq $56, %rsp\n"
        "andq $-64, %rsp\n"
        "movq %rdi, %rax\n"
        "movq %rsi, %rdi\n"
        "callq *%rax\n"
        "movq %rbx, %rsp\n"
        "popq %rbx\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".type jump, %function\n"
        "jump:\n"
        ".cfi_startproc\n"
        "jmpq *%rdi\n"
        ".cfi_endproc\n"
        ".type return_to, %function\n"
        "return_to:\n"
        ".cfi_startproc\n"
        "pushq %rdi\n"
        "ret\n"
        ".cfi_endproc\n"
        ".type return_below_data, %function\n"
        "return_below_data:\n"
        ".cfi_startproc\n"
        "leaq data(%rip), %rax\n"
        "pushq %rax\n"
        "pushq %rdi\n"
        "ret\n"
        ".cfi_endproc\n"
        ".type faults_at_once, %function\n"
        "faults_at_once:\n"
        "ud2\n"
        ".type faults_later, %function\n"
        "faults_later:\n"
        "nop\n"
        "ud2\n"
        ".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text.frames, \"ax\"\n"
        ".type by_register, %function\n"
        "by_register:\n"
        ".cfi_startproc\n"
        "stp x19, x30, [sp, -16]!\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset x19, -16\n"
        ".cfi_offset x30, -8\n"
        "mov x19, sp\n"
        ".cfi_def_cfa x19, 16\n"
        "sub sp, sp, 48\n"
        "mov x2, x0\n"
        "mov x0, x1\n"
        "blr x2\n"
        "mov sp, x19\n"
        "ldp x19, x30, [sp], 16\n"
        ".cfi_def_cfa sp, 0\n"
        "ret\n"
        ".cfi_endproc\n"
        ".type jump, %function\n"
        "jump:\n"
        ".cfi_startproc\n"
        "br x0\n"
        ".cfi_endproc\n"
        ".type return_to, %function\n"
        "return_to:\n"
        ".cfi_startproc\n"
        "ret x0\n"
        ".cfi_endproc\n"
        ".type return_below_data, %function\n"
        "return_below_data:\n"
        ".cfi_startproc\n"
        "adrp x30, data\n"
        "ret x0\n"
        ".cfi_endproc\n"
        ".type faults_at_once, %function\n"
        "faults_at_once:\n"
        ".inst 0\n"
        ".type faults_later, %function\n"
        "faults_later:\n"
        "nop\n"
        ".inst 0\n"
        ".popsection\n");
#endif

NOINLINE static void call(function *target)
{
    target(); /* tag: call */
}

NOINLINE static void call_jump(function *target)
{
    jump(target); /* tag: jump */
}

NOINLINE static void call_return(function *target)
{
    return_to(target); /* tag: return */
}

NOINLINE static void call_below_data(function *target)
{
    return_below_data(target); /* tag: below data */
}

NOINLINE static void call_by_name(function *target)
{
    (void)target;
    faults_at_once(); /* tag: by name */
}

static function *at(const volatile void *place)
{
    function *target;
    memcpy(&target, &place, sizeof(target));
    return target;
}

static void *page(int protection)
{
    return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Executable, of a file that ends before it. qemu itself reads memory for system calls, and
 * does not survive that there. */
static void *page_behind_file(void)
{
    if (getenv("QEMU") != NULL)
        return NULL;
    char name[] = "/tmp/wild_calls.XXXXXX";
    int file = mkstemp(name);
    void *made = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    unlink(name);
    close(file);
    return made;
}

static void try(user *use, function *target, int number)
{
    if (sigsetjmp(back, 1) != 0)
        return;
    size = 1000 + (size_t)number;
    if (sigsetjmp(back, 1) == 0)
        use(target); /* tag: plain */
    size += 1000;
    if (sigsetjmp(back, 1) == 0)
        by_register(use, target); /* tag: by register */
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    for (int number = 0; number < 3; number++)
        sigaction((int[]){SIGSEGV, SIGBUS, SIGILL}[number], &action, NULL);
    char local[64] = "";
    void *gone = page(PROT_READ);
    munmap(gone, 4096);
    const volatile void *places[] = {
        NULL,
        (void *)0x1234,
        (void *)-4096L,
        data,
        constants,
        malloc(64),
        local,
        gone,
        page(PROT_READ),
        page(PROT_NONE),
        page_behind_file(),
    };
    int number = 0;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        try(call, at(places[i]), number++);
    try(call_jump, NULL, number++);
    try(call_return, NULL, number++);
    try(call_below_data, NULL, number++);
    try(call, faults_later, number++);
    try(call, faults_at_once, number++);
    try(call_by_name, NULL, number++);
    done();
    printf("%d\n", count);
    return 0;
}
