/* The table at every instruction: a child works on it, and is stopped and read with the
 * real reader between any two instructions, and now and then made to fork, as if another of its
 * threads had: what the copy holds is mended and then worked on. ALLOCSNAP_STEP_OPERATIONS says how
 * many random operations it does at the end, and then more of the stops are looked at. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module_list.h"
#include "own_table.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "table_story.h"
#include "thread_numbers.h"
#include "unit.h"
#include "watched_count.h"

enum {
    /* Blocks of one shard: there is a new chunk at each 1024, and more buckets from 2560 on. */
    BEFORE_CHUNK = 2044,
    BEFORE_SPLIT = 2557,
    BEFORE_NODES = 8190,  /* nodes: a chunk and a segment of buckets less 2 */
    MODULES = 57,         /* with the first ones and the empty place a chunk less 3 */
    FIRST_CLEARED = 2500, /* of the blocks that are dropped all at once */
    OPERATIONS = 40,
    READ_EACH = 7, /* a prime: in time it meets every instruction of a loop */
    COPY_EACH = 211,
    COPY_EACH_LONG = 13,
    COPY_STACK_BYTES = 1 << 18,
    STRETCHES = 3, /* that are stepped through */
};

static long operations(void)
{
    const char *count = getenv("ALLOCSNAP_STEP_OPERATIONS");
    return count == NULL ? OPERATIONS : strtol(count, NULL, 10);
}

static void do_anything(void)
{
    unsigned seed = 1;
    for (long i = 0; i < operations(); i++) {
        int block = rand_r(&seed) % STORY_BLOCKS;
        switch (rand_r(&seed) % 16) {
        case 0:
            table_story_new_stack((unsigned)rand_r(&seed) % 100000);
            break;
        case 1:
            table_story_be_another_thread();
            break;
        case 2:
        case 3:
            table_story_drop_and_put_back(block);
            break;
        case 4:
            asnap_records_reset_peak();
            table_story_watch((uint64_t)rand_r(&seed) % 30000, (uint64_t)rand_r(&seed) % 8);
            break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
            table_story_drop(block);
            break;
        default:
            table_story_insert(block, (uint64_t)rand_r(&seed) % 10000);
        }
    }
}

/* What is stepped through lies between two stops. */
static void pause_steps(void)
{
    raise(SIGSTOP);
}

/* What grows grows in steps; what leads there does not. */
static void act(void)
{
    for (int block = 0; block < BEFORE_CHUNK; block++)
        table_story_insert(block, 100 + (uint64_t)block);
    table_story_watch(4 * BEFORE_CHUNK, 3);
    pause_steps();
    for (int block = BEFORE_CHUNK; block < BEFORE_CHUNK + 8; block++) {
        table_story_new_stack((unsigned)block);
        table_story_insert(block, (uint64_t)block);
    }
    table_story_be_another_thread();
    for (int block = 0; block < 8; block++) {
        table_story_drop(block * 7);
        table_story_insert(block * 7 + 1, 5000 + (uint64_t)block);
        table_story_drop_and_put_back(block * 7 + 1);
    }
    pause_steps();
    for (int block = BEFORE_CHUNK + 8; block < BEFORE_SPLIT; block++)
        table_story_insert(block, 100 + (uint64_t)block);
    for (unsigned i = 0; allocsnap_root.node_count < BEFORE_NODES; i++)
        asnap_stacks_child(table_story->stack, 0x900000 + i);
    for (int i = 0; i < MODULES; i++)
        table_story_add_module();
    table_story_watch(7, 1000000);
    pause_steps();
    for (int block = BEFORE_SPLIT; block < BEFORE_SPLIT + 6; block++)
        table_story_insert(block, 3);
    for (unsigned i = 0; i < 4; i++)
        table_story_new_stack(200000 + i);
    for (int i = 0; i < 6; i++)
        table_story_add_module();
    do_anything();
    pause_steps();
    for (int block = 0; block < FIRST_CLEARED; block++)
        table_story_drop(block);
    pause_steps();
    table_story_clear(FIRST_CLEARED);
    table_story_watch(80, 4);
    for (int block = 0; block < 10; block++)
        table_story_insert(block, 9);
    pause_steps();
}

static void be_the_child(void)
{
    uint64_t frame = 0x4000;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    own_table_open();
    if (table_story->sample_period != 0)
        own_table_sample(table_story->sample_period);
    for (int i = 0; i < 3; i++)
        table_story_add_module();
    table_story->stack = asnap_stacks_intern(&frame, 1, 0);
    pause_steps();
    act();
    pause_steps();
    _exit(0);
}

/* ---- in a copy ---- */

/* The sum of what the shards hold, UINT64_MAX where one is locked. */
static uint64_t traced_size(void)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        if (allocsnap_root.shards[i].lock != 0)
            return UINT64_MAX;
        size += allocsnap_root.shards[i].size;
    }
    return size;
}

static bool peak_is_exact(void)
{
    asnap_records_reset_peak();
    if (table_story->sample_period != 0)
        return own_table_sample_agrees(false) &&
               allocsnap_root.estimated_size == allocsnap_root.peak_bytes;
    return traced_size() == allocsnap_root.peak_bytes;
}

/* Each node is found by what it says, so that none is made twice. */
static bool nodes_are_found(void)
{
    uint32_t count = allocsnap_root.node_count;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *chunks = (const uint64_t *)(uintptr_t)allocsnap_root.node_chunks;
        const struct asnap_table_node *node =
            (const struct asnap_table_node *)(uintptr_t)chunks[i / ASNAP_TABLE_CHUNK_NODES] +
            i % ASNAP_TABLE_CHUNK_NODES;
        if (asnap_stacks_child(node->parent, node->pc) != i)
            return false;
    }
    return allocsnap_root.node_count == count;
}

static bool works_again(void)
{
    table_story->child = getpid();
    for (int i = 0; i < STORY_BLOCKS; i++)
        table_story_insert(i, 7 + (uint64_t)i);
    table_story_add_module();
    table_story_new_stack(1000000);
    bool good = table_story_agrees(getpid()) && peak_is_exact();
    for (int i = 0; i < STORY_BLOCKS; i++)
        table_story_drop(i);
    return good && traced_size() == 0 && peak_is_exact();
}

static bool copy_is_mended(void)
{
    static struct table_story own;
    memcpy(&own, table_story, sizeof(own));
    table_story = &own;
    asnap_records_mend(NULL);
    asnap_thread_numbers_mend(NULL);
    asnap_stacks_mend(NULL);
    asnap_module_list_mend(NULL);
    asnap_watched_count_look();
    bool good = table_story_agrees(getpid()) && traced_size() != UINT64_MAX && peak_is_exact() &&
                nodes_are_found();
    asnap_records_clear();
    allocsnap_root.thread_count = 0;
    asnap_thread_number_forget();
    return good && works_again();
}

#if defined(__x86_64__)

static char copy_stack[COPY_STACK_BYTES] __attribute__((aligned(16)));

/* The child is sent here, on that stack, and then back to where it was. */
static void make_copy(void)
{
    int status = 0;
    /* No signal when it ends: that would stop this process too. */
    pid_t copy = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (copy == 0)
        _exit(copy_is_mended() ? 0 : 1);
    syscall(SYS_wait4, copy, &status, __WALL, NULL);
    table_story->copy_status = status;
    __asm__ volatile("int3");
}

static bool copy_agrees(pid_t child)
{
    struct user_regs_struct registers;
    struct user_fpregs_struct vectors;
    int status = 0;
    if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0 ||
        ptrace(PTRACE_GETFPREGS, child, NULL, &vectors) != 0)
        return false;
    struct user_regs_struct sent = registers;
    sent.rip = (uintptr_t)make_copy;
    sent.rsp = (uintptr_t)copy_stack + sizeof(copy_stack) - 8;
    sent.orig_rax = UINT64_MAX;
    table_story->copy_status = -1;
    return ptrace(PTRACE_SETREGS, child, NULL, &sent) == 0 &&
           ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && table_story->copy_status == 0 &&
           ptrace(PTRACE_SETREGS, child, NULL, &registers) == 0 &&
           ptrace(PTRACE_SETFPREGS, child, NULL, &vectors) == 0;
}

#else

static bool copy_agrees(pid_t child)
{
    (void)child;
    (void)copy_is_mended;
    return true;
}

#endif

/* ---- steps ---- */

static bool is_long(void)
{
    return getenv("ALLOCSNAP_STEP_OPERATIONS") != NULL;
}

/* Steps the child to its next pause, with looks at some of the stops. */
static bool step_to_pause(pid_t child, long *steps)
{
    const long read_each = is_long() ? 1 : READ_EACH;
    const long copy_each = is_long() ? COPY_EACH_LONG : COPY_EACH;
    bool is_readable = true;
    bool is_mended = true;
    int status = 0;
    while (is_readable && is_mended && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGTRAP) {
        ++*steps;
        is_readable = *steps % read_each != 0 || table_story_agrees(child);
        is_mended = *steps % copy_each != 0 || copy_agrees(child);
    }
    CU_ASSERT(is_readable);
    CU_ASSERT(is_mended);
    return is_readable && is_mended && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP &&
           table_story_agrees(child);
}

static bool run_to_pause(pid_t child)
{
    int status = 0;
    return ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && table_story_agrees(child);
}

static void step_through(uint64_t sample_period, bool is_watched)
{
    CU_ASSERT_FATAL(table_story_create(sample_period, is_watched));
    pid_t child = fork();
    if (child == 0)
        be_the_child();
    table_story->child = child;
    int status = 0;
    CU_ASSERT_FATAL(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    long steps = 0;
    for (int stretch = 0; stretch < STRETCHES; stretch++) {
        CU_ASSERT(run_to_pause(child));
        CU_ASSERT(step_to_pause(child, &steps));
    }
    CU_ASSERT(steps > 10000);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    table_story_destroy();
}

/* Blocks of the test are smaller and larger than that. */
enum { SAMPLE_PERIOD = 4000 };

ASNAP_TEST(table_steps, is_readable_and_mended_at_every_instruction)
{
    step_through(0, false);
}

ASNAP_TEST(table_steps, of_a_sample_is_readable_and_mended_at_every_instruction)
{
    step_through(SAMPLE_PERIOD, false);
}

ASNAP_TEST(table_steps, with_limits_is_readable_and_mended_at_every_instruction)
{
    step_through(0, true);
}
