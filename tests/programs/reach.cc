/* Blocks whose classes of reachability are known by construction: each is allocated on a line of
 * its own that has a tag with its class and what holds it, or where only an old value of it is
 * left. Pointers are kept inverted until they are where they shall be found. With an argument, the
 * program ends by a trap where it would stop. */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

typedef uintptr_t hidden;

static NOINLINE hidden hide(void *pointer)
{
    return ~(hidden)pointer;
}

static NOINLINE void *shown(hidden value)
{
    return (void *)~value;
}

enum { REGISTER, VECTOR, STACK, THREAD_STACK, ALTERNATE, INTERRUPTED, COROUTINE, HIDDEN_COUNT };
static hidden hiddens[HIDDEN_COUNT];

struct node {
    struct node *next;
    void *more;
    char bytes[48];
};

static struct node *in_data = (struct node *)1;
static struct node *in_bss;
static __thread void *in_tls;
static void **region;
static void *inside;
static void *by_string;
static void *by_length;
static void *by_cookie;
static volatile int arrived;

/* ---- two bases ---- */

struct Left {
    virtual ~Left()
    {
    }
    int left = 1;
};

struct Right {
    virtual ~Right()
    {
    }
    int right = 2;
};

struct Both : Left, Right {
    int both = 3;
};

static Right *by_base;
static std::string *by_std;

/* ---- threads that stay where they are ---- */

static void arrive()
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    for (;;)
        pause();
}

static void *on_its_stack(void *)
{
    void *volatile pointer = shown(hiddens[THREAD_STACK]);
    arrive();
    return pointer;
}

static void in_handler(int)
{
    void *volatile pointer = shown(hiddens[ALTERNATE]);
    arrive();
    (void)pointer;
}

static void *map(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *on_alternate_stack(void *)
{
    void *volatile pointer = shown(hiddens[INTERRUPTED]);
    stack_t stack = {};
    stack.ss_size = 128 << 10;
    stack.ss_sp = map(stack.ss_size);
    sigaltstack(&stack, NULL);
    struct sigaction action = {};
    action.sa_handler = in_handler;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGALRM, &action, NULL);
    raise(SIGALRM);
    return pointer;
}

static ucontext_t scheduler, coroutine;

static void in_coroutine()
{
    void *volatile pointer = shown(hiddens[COROUTINE]);
    arrive();
    (void)pointer;
}

static void *on_coroutine(void *)
{
    getcontext(&coroutine);
    coroutine.uc_stack.ss_size = 128 << 10;
    coroutine.uc_stack.ss_sp = map(coroutine.uc_stack.ss_size);
    coroutine.uc_link = &scheduler;
    makecontext(&coroutine, in_coroutine, 0);
    swapcontext(&scheduler, &coroutine);
    return NULL;
}

/* ---- what only old values lead to ---- */

static NOINLINE void leave_in_freed_block()
{
    void **freed = (void **)malloc(4096);
    freed[100] = malloc(71); /* tag: definite a freed block's memory */
    free(freed);
}

static NOINLINE void leave_below_stack_pointer()
{
    void *volatile deep[64];
    deep[3] = malloc(72); /* tag: definite below the stack pointer */
    (void)deep;
}

/* Deeper than what a thread that gets the same stack comes to, and not so deep that the C library
 * gives the memory back. */
static void *leave_on_stack(void *)
{
    void *volatile pointers[1024];
    pointers[5] = malloc(73); /* tag: definite the stack of a thread that has ended, 3 */
    (void)pointers;
    return NULL;
}

/* The head of the free chunk after a block lies in the last bytes of that, and the allocator's
 * lists lead there. */
static NOINLINE void leave_before_free_chunk()
{
    void *before = malloc(2008); /* tag: definite the allocator's list of free chunks */
    memset(before, 0, 2008);
    void *free_one = malloc(3000);
    void *barrier = malloc(40); /* tag: definite nothing, a barrier */
    free(free_one);
    memset(barrier, 0, 40);
}

/* Blocks of one size that were freed lead to each other, and the first of them to the last that is
 * left. */
static NOINLINE void leave_in_free_lists()
{
    void *blocks[40];
    for (int i = 0; i < 40; i++)
        blocks[i] = malloc(120);
    for (int i = 0; i < 40; i++)
        free(blocks[i]);
    malloc(120); /* tag: definite lists of free blocks */
    memset(blocks, 0, sizeof(blocks));
}

/* ---- what nothing leads to ---- */

static NOINLINE void lose_list()
{
    struct node *first = (struct node *)malloc(80); /* tag: definite nothing, the head of a list */
    for (int i = 0; i < 20; i++) {
        struct node *next = first->next =
            (struct node *)malloc(81); /* tag: indirect a lost list, 20 */
        memset(next, 0, 81);
        first = next;
    }
}

static NOINLINE void lose_cycle()
{
    struct node *nodes[12];
    for (int i = 0; i < 12; i++)
        nodes[i] = (struct node *)calloc(1, 82); /* tag: cycle itself, 12 */
    for (int i = 0; i < 12; i++)
        nodes[i]->next = nodes[(i + 1) % 12];
    nodes[7]->more = malloc(83); /* tag: indirect a lost cycle */
    memset(nodes, 0, sizeof(nodes));
}

static NOINLINE void lose_large()
{
    void *large = malloc(1 << 20); /* tag: definite nothing, a block with a mapping of its own */
    memset(large, 0, 1 << 20);
}

/* ---- what is held ---- */

static pthread_key_t keys[100];

static NOINLINE void hold_in_memory()
{
    in_data = (struct node *)calloc(1, 64);      /* tag: reachable data */
    in_bss = (struct node *)calloc(1, 65);       /* tag: reachable zero-initialised data */
    in_bss->next = (struct node *)calloc(1, 66); /* tag: reachable another block */
    in_tls = malloc(90);                         /* tag: reachable static thread-local storage */
    region = (void **)map(64 << 10);
    region[1000] = malloc(91); /* tag: reachable a region of its own */
    region[1001] =
        calloc(1, 2 << 20); /* tag: reachable a region, which is joined with this one's */
    *(void **)region[1001] = malloc(92); /* tag: reachable a block with a mapping of its own */
    for (int i = 0; i < 100; i++)
        pthread_key_create(&keys[i], NULL);
    pthread_setspecific(keys[3], malloc(93)); /* tag: reachable pthread_setspecific */
    void *second_level = malloc(94); /* tag: reachable pthread_setspecific, with a late key */
    pthread_setspecific(keys[80], second_level); /* tag: reachable the C library */
}

static NOINLINE void hold_by_interior_pointers()
{
    inside = (char *)malloc(100) + 40; /* tag: possible its inside */
    uint64_t *string =
        (uint64_t *)calloc(1, 24 + 33 + 1); /* tag: reachable a string's characters */
    string[0] = 20;
    string[1] = 33;
    by_string = string + 3;
    uint64_t *length = (uint64_t *)calloc(1, 8 + 104); /* tag: reachable what follows its length */
    length[0] = 104;
    by_length = length + 1;
    uint64_t *cookie = (uint64_t *)calloc(1, 8 + 7 * 24); /* tag: reachable what follows a cookie */
    cookie[0] = 7;
    by_cookie = cookie + 1;
    by_base = new Both;              /* tag: reachable its second base class */
    by_std = new std::string("x");   /* tag: reachable its start */
    *by_std = std::string(200, 'y'); /* tag: reachable the C++ library, a string */
}

static NOINLINE void hold_in_library()
{
    std::string path(500, '\0'); /* freed again */
    ssize_t length = readlink("/proc/self/exe", &path[0], 400);
    path.resize(length > 0 ? (size_t)length : 0);
    path = path.substr(0, path.rfind('/')) + "/libheld.so";
    void *library = dlopen(path.c_str(), RTLD_NOW); /* tag: reachable the dynamic linker */
    if (library == NULL)
        abort();
    *(void **)dlsym(library, "held_global") =
        malloc(95); /* tag: reachable a loaded library's data */
    void (*hold)(void *) = (void (*)(void *))dlsym(library, "hold_thread_local");
    void *pointer = malloc(96); /* tag: reachable dynamic thread-local storage */
    hold(pointer);              /* tag: reachable the dynamic linker, storage */
}

static NOINLINE void hold_elsewhere()
{
    hiddens[REGISTER] = hide(malloc(50));     /* tag: reachable a register */
    hiddens[VECTOR] = hide(malloc(51));       /* tag: reachable a vector register */
    hiddens[STACK] = hide(malloc(52));        /* tag: reachable the stack */
    hiddens[THREAD_STACK] = hide(malloc(53)); /* tag: reachable a thread's stack */
    hiddens[ALTERNATE] = hide(malloc(54));    /* tag: reachable an alternate stack */
    hiddens[INTERRUPTED] =
        hide(malloc(55)); /* tag: reachable a stack that a handler has interrupted */
    hiddens[COROUTINE] = hide(malloc(56)); /* tag: reachable a coroutine's stack */
    void *(*const functions[])(void *) = {on_its_stack, on_alternate_stack, on_coroutine};
    pthread_t thread;
    pthread_create(&thread, NULL, leave_on_stack,
                   NULL); /* tag: reachable the C library, ended thread */
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, functions[i],
                       NULL); /* tag: reachable the C library, threads */
    while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 3)
        sched_yield();
    /* Their stacks are kept for later threads. */
    pthread_t pair[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&pair[i], NULL, leave_on_stack,
                       NULL); /* tag: reachable the C library, pair */
    for (int i = 0; i < 2; i++)
        pthread_join(pair[i], NULL);
}

/* Overwrites what calls have left below the stack pointer, which later calls have in their frames.
 */
static NOINLINE void wipe()
{
    volatile char bytes[64 << 10];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}

extern "C" NOINLINE void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

/* Calls stop_here with a pointer in a register that it keeps, and one in a vector register. */
static NOINLINE void stop_with_registers(int trap)
{
#if defined(__x86_64__)
    __asm__ volatile("movq %[one], %%r12\n\tnotq %%r12\n\t"
                     "movq %[two], %%rax\n\tnotq %%rax\n\tmovq %%rax, %%xmm9\n\t"
                     "xorl %%eax, %%eax\n\txorl %%ebx, %%ebx\n\txorl %%r13d, %%r13d\n\t"
                     "xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\txorl %%esi, %%esi\n\t"
                     "xorl %%r8d, %%r8d\n\txorl %%r9d, %%r9d\n\t"
                     "xorl %%r10d, %%r10d\n\txorl %%r11d, %%r11d\n\t"
                     "xorl %%r14d, %%r14d\n\txorl %%r15d, %%r15d\n\t"
                     "movl %[trap], %%edi\n\tcall stop_here"
                     :
                     : [one] "m"(hiddens[REGISTER]), [two] "m"(hiddens[VECTOR]), [trap] "m"(trap)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "xmm9", "memory", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("ldr x19, %[one]\n\tmvn x19, x19\n\t"
                     "ldr x0, %[two]\n\tmvn x0, x0\n\tfmov d9, x0\n\t"
                     "ldr w0, %[trap]\n\tbl stop_here"
                     :
                     : [one] "m"(hiddens[REGISTER]), [two] "m"(hiddens[VECTOR]), [trap] "m"(trap)
                     : "x0", "x19", "x30", "v9", "memory", "cc");
#endif
}

static NOINLINE void hold_on_stack(int trap)
{
    void *volatile pointer = shown(hiddens[STACK]);
    stop_with_registers(trap);
    (void)pointer;
}

int main(int argc, char **)
{
    hold_in_memory();
    hold_by_interior_pointers();
    hold_in_library();
    hold_elsewhere();
    leave_in_freed_block();
    leave_before_free_chunk();
    leave_in_free_lists();
    leave_below_stack_pointer();
    lose_list();
    lose_cycle();
    lose_large();
    wipe();
    hold_on_stack(argc > 1);
    return 0;
}
