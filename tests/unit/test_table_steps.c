/* The table at every instruction: a child works on it, and is stopped and read with the
 * real reader between any two instructions, or made to fork, as if another of its threads had:
 * what the copy holds is mended and then worked on. ALLOCSNAP_STEP_OPERATIONS says how many random
 * operations it does at the end, and then more of the stops are looked at. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module_list.h"
#include "own_table.h"
#include "raw.h"
#include "records.h"
#include "root.h"
#include "sample_filter.h"
#include "stacks.h"
#include "thread_numbers.h"
#include "unit.h"
#include "watched_count.h"

enum {
    /* Of one shard: there is a new chunk at each 1024, and more buckets from 2560 on. */
    BLOCKS = 2600,
    BEFORE_CHUNK = 2044,
    BEFORE_SPLIT = 2557,
    BEFORE_NODES = 8190, /* nodes: a chunk and a segment of buckets less 2 */
    MODULES = 57,        /* with the first ones and the empty place a chunk less 3 */
    IDLE = -1,
    ALL = -2, /* the child clears the table */
    OPERATIONS = 40,
    READ_EACH = 7, /* a prime: in time it meets every instruction of a loop */
    COPY_EACH = 211,
    COPY_EACH_LONG = 13,
    COPY_STACK_BYTES = 1 << 18,
};

/* What the child has done, in memory that both see. */
struct story {
    volatile int32_t busy;           /* the block it is at, IDLE or ALL */
    volatile uint64_t sizes[BLOCKS]; /* UINT64_MAX: not live */
    volatile uint32_t stacks[BLOCKS];
    volatile uint64_t new_size; /* of the block it is at, UINT64_MAX: to be removed */
    volatile uint32_t new_stack;
    uint64_t addresses[BLOCKS];
    uint32_t stack;
    uint64_t sample_period; /* 0: the table is of every block */
    bool is_watched;
    size_t threads_before;
    pid_t child;
    volatile int copy_status; /* as waitpid has it */
};

static struct story *story;

/* Blocks whose pages share a shard, so that this one grows. */
static void place_blocks(void)
{
    uint64_t page = 0x7f0000000;
    uint32_t shard = asnap_table_shard_of(page << 12);
    for (int i = 0; i < BLOCKS; i++) {
        while (asnap_table_shard_of(page << 12) != shard)
            page++;
        story->addresses[i] = page << 12 | (uint64_t)(i % 128) * 32;
        if (i % 128 == 127)
            page++;
    }
}

static void begin(int block, uint64_t size, uint32_t stack)
{
    story->new_size = size;
    story->new_stack = stack;
    story->busy = block;
}

static void end(int block)
{
    story->sizes[block] = story->new_size;
    story->stacks[block] = story->new_stack;
    story->busy = IDLE;
}

/* Also in place of one that is there. */
static void insert(int block, uint64_t size)
{
    uint64_t address = story->addresses[block];
    begin(block, size, story->stack);
    if (story->sample_period == 0)
        asnap_records_insert(address, size, story->stack);
    else
        asnap_records_insert_sampled(address, size, story->stack, OWN_TABLE_SAMPLE);
    own_table_see();
    end(block);
}

static void withdraw(int block, struct asnap_removed *removed)
{
    if (story->sample_period == 0)
        asnap_records_remove(story->addresses[block], removed);
    else
        asnap_records_remove_sampled(story->addresses[block], removed);
}

static void drop(int block)
{
    begin(block, UINT64_MAX, 0);
    withdraw(block, NULL);
    end(block);
}

/* As a resize that fails. */
static void drop_and_put_back(int block)
{
    struct asnap_removed removed;
    if (story->sizes[block] == UINT64_MAX)
        return;
    begin(block, story->sizes[block], story->stacks[block]);
    withdraw(block, &removed);
    asnap_records_put_back(story->addresses[block], &removed, allocsnap_root.applied.tracing);
    end(block);
}

static uint64_t live_blocks(void)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        count += allocsnap_root.shards[i].count;
    return count;
}

static uint64_t live_bytes(void)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        size += allocsnap_root.shards[i].size;
    return size;
}

/* Limits a little above what there is, which the next blocks reach. */
static void watch(uint64_t bytes, uint64_t blocks)
{
    const uint64_t limits[ASNAP_TABLE_WATCH_KINDS] = {
        [ASNAP_TABLE_WATCH_SIZE] = live_bytes() + bytes,
        [ASNAP_TABLE_WATCH_COUNT] = live_blocks() + blocks,
    };
    if (story->is_watched)
        own_table_watch(limits);
}

static void clear(void)
{
    story->busy = ALL;
    asnap_records_clear();
    for (int i = 0; i < BLOCKS; i++)
        story->sizes[i] = UINT64_MAX;
    story->busy = IDLE;
}

static uint64_t module_start(uint32_t module)
{
    return UINT64_C(0x10000) * (module + 1);
}

static void add_module(void)
{
    uint32_t number = allocsnap_root.module_count == 0 ? 1 : allocsnap_root.module_count;
    struct asnap_table_module module = {.start = module_start(number),
                                        .end = module_start(number) + 1};
    asnap_module_list_add(&module, "/lib/module");
}

/* A new stack, some also of a new module. */
static void new_stack(unsigned number)
{
    uint64_t frames[3] = {0x100000u + number, 0x2000, 0x3000};
    frames[0] |= (uint64_t)(number % 3) << ASNAP_TABLE_PC_BITS;
    story->stack = asnap_stacks_intern(frames, 3, 0);
}

/* As if the calls came from a new thread. */
static void be_another_thread(void)
{
    asnap_thread_number_forget();
    asnap_thread_number();
}

static long operations(void)
{
    const char *count = getenv("ALLOCSNAP_STEP_OPERATIONS");
    return count == NULL ? OPERATIONS : strtol(count, NULL, 10);
}

static void do_anything(void)
{
    unsigned seed = 1;
    for (long i = 0; i < operations(); i++) {
        int block = rand_r(&seed) % BLOCKS;
        switch (rand_r(&seed) % 16) {
        case 0:
            new_stack((unsigned)rand_r(&seed) % 100000);
            break;
        case 1:
            be_another_thread();
            break;
        case 2:
        case 3:
            drop_and_put_back(block);
            break;
        case 4:
            asnap_records_reset_peak();
            watch((uint64_t)rand_r(&seed) % 30000, (uint64_t)rand_r(&seed) % 8);
            break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
            drop(block);
            break;
        default:
            insert(block, (uint64_t)rand_r(&seed) % 10000);
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
        insert(block, 100 + (uint64_t)block);
    watch(4 * BEFORE_CHUNK, 3);
    pause_steps();
    for (int block = BEFORE_CHUNK; block < BEFORE_CHUNK + 8; block++) {
        new_stack((unsigned)block);
        insert(block, (uint64_t)block);
    }
    be_another_thread();
    for (int block = 0; block < 8; block++) {
        drop(block * 7);
        insert(block * 7 + 1, 5000 + (uint64_t)block);
        drop_and_put_back(block * 7 + 1);
    }
    pause_steps();
    for (int block = BEFORE_CHUNK + 8; block < BEFORE_SPLIT; block++)
        insert(block, 100 + (uint64_t)block);
    for (unsigned i = 0; allocsnap_root.node_count < BEFORE_NODES; i++)
        asnap_stacks_child(story->stack, 0x900000 + i);
    for (int i = 0; i < MODULES; i++)
        add_module();
    watch(7, 1000000);
    pause_steps();
    for (int block = BEFORE_SPLIT; block < BEFORE_SPLIT + 6; block++)
        insert(block, 3);
    for (unsigned i = 0; i < 4; i++)
        new_stack(200000 + i);
    for (int i = 0; i < 6; i++)
        add_module();
    do_anything();
    clear();
    watch(80, 4);
    for (int block = 0; block < 10; block++)
        insert(block, 9);
    pause_steps();
}

static void be_the_child(void)
{
    uint64_t frame = 0x4000;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    own_table_open();
    if (story->sample_period != 0)
        own_table_sample(story->sample_period);
    for (int i = 0; i < 3; i++)
        add_module();
    story->stack = asnap_stacks_intern(&frame, 1, 0);
    pause_steps();
    act();
    pause_steps();
    _exit(0);
}

static int read_child(void *context, uint64_t address, void *buffer, size_t size)
{
    struct iovec here = {buffer, size};
    struct iovec there = {(void *)(uintptr_t)address, size};
    ssize_t got = process_vm_readv(*(pid_t *)context, &here, 1, &there, 1, 0);
    return got == (ssize_t)size ? ASNAP_READ_OK : ASNAP_READ_FAILED;
}

static int block_at(uint64_t address)
{
    for (int i = 0; i < BLOCKS; i++)
        if (story->addresses[i] == address)
            return i;
    return IDLE;
}

/* The places of blocks by address, found once. */
static int find_block(uint64_t address)
{
    static int places[1 << 16];
    int *place = &places[(address >> 5) % (1 << 16)];
    if (*place == 0 || story->addresses[*place - 1] != address)
        *place = block_at(address) + 1;
    return *place - 1;
}

/* Each module is what the child added, and each thread but those that other tests did. */
static bool lists_agree(const struct asnap_raw *raw)
{
    bool good = true;
    for (size_t i = 1; i < raw->module_count; i++) {
        const struct asnap_raw_module *module = &raw->modules[i];
        good = good && module->start == module_start((uint32_t)i) &&
               strcmp(module->path, "/lib/module") == 0;
    }
    for (size_t i = 1; i < raw->thread_count; i++)
        good = good && (i < story->threads_before || raw->threads[i] == (uint32_t)story->child);
    return good;
}

/* What the shards hold, or what is estimated of it, is never more than the peak. */
static bool peak_agrees(const struct asnap_memory *memory)
{
    static struct asnap_table_root root;
    uint64_t size = 0;
    if (memory->read(memory->context, (uintptr_t)&allocsnap_root, &root, sizeof(root)) !=
        ASNAP_READ_OK)
        return false;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        size += root.shards[i].size;
    if (story->sample_period != 0)
        size = root.estimated_size;
    return size <= root.peak_bytes;
}

/* No limit is passed while it is watched for, but that the block which does it is in the table
 * before all are counted. */
static bool watch_agrees(const struct asnap_memory *memory)
{
    static struct asnap_root_and_watch all;
    uint64_t size = 0;
    uint64_t count = 0;
    if (!story->is_watched)
        return true;
    if (memory->read(memory->context, (uintptr_t)&asnap_root_and_watch, &all, sizeof(all)) !=
        ASNAP_READ_OK)
        return false;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        size += all.root.shards[i].size;
        count += all.root.shards[i].count;
    }
    const uint64_t *armed = all.watch.armed;
    return (armed[ASNAP_TABLE_WATCH_SIZE] == 0 || size <= armed[ASNAP_TABLE_WATCH_SIZE]) &&
           (armed[ASNAP_TABLE_WATCH_COUNT] == 0 || count <= armed[ASNAP_TABLE_WATCH_COUNT] + 1);
}

/* No record is missed by who looks whether there may be one; but for those that are being dropped
 * all at once. */
static bool filter_agrees(const struct asnap_memory *memory, const struct asnap_raw *raw)
{
    static uint64_t words[sizeof(asnap_filter_words) / sizeof(asnap_filter_words[0])];
    if (story->sample_period == 0 || story->busy == ALL)
        return true;
    if (memory->read(memory->context, (uintptr_t)asnap_filter_words, words, sizeof(words)) !=
        ASNAP_READ_OK)
        return false;
    bool good = true;
    for (size_t i = 0; i < raw->trace_count; i++) {
        uint32_t place = asnap_filter_place(raw->traces[i].address);
        uint64_t word = words[place / ASNAP_FILTER_WORD_BITS];
        good = good && (word >> place % ASNAP_FILTER_WORD_BITS & 1) != 0;
    }
    return good;
}

static bool is_told(const struct asnap_trace *trace, int block)
{
    if (trace->size == story->sizes[block] && trace->traceback_id == story->stacks[block])
        return true;
    return block == story->busy && trace->size == story->new_size &&
           trace->traceback_id == story->new_stack;
}

/* Whether the table of a process is as the story says, but for what is under way. */
static bool agrees(pid_t process)
{
    static uint8_t seen[BLOCKS];
    struct asnap_memory memory = {.read = read_child, .context = &process};
    struct asnap_raw *raw = NULL;
    if (!asnap_unit_ok(asnap_raw_read(&memory, (uintptr_t)&allocsnap_root, false, NULL, &raw),
                       __FILE__, __LINE__))
        return false;
    memset(seen, 0, sizeof(seen));
    int32_t busy = story->busy;
    bool good = peak_agrees(&memory) && watch_agrees(&memory) && lists_agree(raw) &&
                filter_agrees(&memory, raw) && raw->sample_period == story->sample_period;
    for (size_t i = 0; i < raw->trace_count; i++) {
        int block = find_block(raw->traces[i].address);
        good = good && block >= 0 && seen[block]++ == 0 && is_told(&raw->traces[i], block);
    }
    for (int i = 0; i < BLOCKS && busy != ALL; i++)
        good = good && (seen[i] != 0 || story->sizes[i] == UINT64_MAX || i == busy);
    good = good && raw->unreadable_bytes == 0 && raw->unreadable_nodes == 0 &&
           raw->bad_records == 0 && raw->bad_shards == 0;
    asnap_raw_destroy(raw);
    return good;
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
    if (story->sample_period != 0)
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
    story->child = getpid();
    for (int i = 0; i < BLOCKS; i++)
        insert(i, 7 + (uint64_t)i);
    add_module();
    new_stack(1000000);
    bool good = agrees(getpid()) && peak_is_exact();
    for (int i = 0; i < BLOCKS; i++)
        drop(i);
    return good && traced_size() == 0 && peak_is_exact();
}

static bool copy_is_mended(void)
{
    static struct story own;
    memcpy(&own, story, sizeof(own));
    story = &own;
    asnap_records_mend(NULL);
    asnap_thread_numbers_mend(NULL);
    asnap_stacks_mend(NULL);
    asnap_module_list_mend(NULL);
    asnap_watched_count_look();
    bool good =
        agrees(getpid()) && traced_size() != UINT64_MAX && peak_is_exact() && nodes_are_found();
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
    story->copy_status = status;
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
    story->copy_status = -1;
    return ptrace(PTRACE_SETREGS, child, NULL, &sent) == 0 &&
           ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && story->copy_status == 0 &&
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

/* Steps the child to its next pause, with a look at each `read_each`th stop. */
static bool step_to_pause(pid_t child, bool (*look)(pid_t child), long read_each, long *steps)
{
    int status = 0;
    while (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGTRAP) {
        if (++*steps % read_each == 0 && !look(child))
            return false;
    }
    return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && agrees(child);
}

static bool run_to_pause(pid_t child)
{
    int status = 0;
    return ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && agrees(child);
}

static void step_through(bool (*look)(pid_t child), long read_each, uint64_t sample_period,
                         bool is_watched)
{
    story = mmap(NULL, sizeof(*story), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(story != MAP_FAILED);
    place_blocks();
    story->threads_before = allocsnap_root.thread_count;
    memset((void *)story->sizes, 0xff, sizeof(story->sizes));
    story->busy = IDLE;
    story->sample_period = sample_period;
    story->is_watched = is_watched;
    pid_t child = fork();
    if (child == 0)
        be_the_child();
    story->child = child;
    int status = 0;
    CU_ASSERT_FATAL(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    long steps = 0;
    CU_ASSERT(run_to_pause(child));
    CU_ASSERT(step_to_pause(child, look, read_each, &steps));
    CU_ASSERT(run_to_pause(child));
    CU_ASSERT(step_to_pause(child, look, read_each, &steps));
    CU_ASSERT(steps > 10000);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    munmap(story, sizeof(*story));
}

static bool is_long(void)
{
    return getenv("ALLOCSNAP_STEP_OPERATIONS") != NULL;
}

/* Blocks of the test are smaller and larger than that. */
enum { SAMPLE_PERIOD = 4000 };

ASNAP_TEST(table_steps, is_readable_at_every_instruction)
{
    step_through(agrees, is_long() ? 1 : READ_EACH, 0, false);
}

ASNAP_TEST(table_steps, of_a_sample_is_readable_at_every_instruction)
{
    step_through(agrees, is_long() ? 1 : READ_EACH, SAMPLE_PERIOD, false);
}

ASNAP_TEST(table_steps, is_mended_in_a_copy_of_every_instruction)
{
    step_through(copy_agrees, is_long() ? COPY_EACH_LONG : COPY_EACH, 0, false);
}

ASNAP_TEST(table_steps, of_a_sample_is_mended_in_a_copy_of_every_instruction)
{
    step_through(copy_agrees, is_long() ? COPY_EACH_LONG : COPY_EACH, SAMPLE_PERIOD, false);
}

ASNAP_TEST(table_steps, with_limits_is_readable_at_every_instruction)
{
    step_through(agrees, is_long() ? 1 : READ_EACH, 0, true);
}

ASNAP_TEST(table_steps, with_limits_is_mended_in_a_copy_of_every_instruction)
{
    step_through(copy_agrees, is_long() ? COPY_EACH_LONG : COPY_EACH, 0, true);
}
