/* The table at every instruction: a child works on it, and is stopped and read with the
 * real reader between any two instructions. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own_table.h"
#include "raw.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "unit.h"

enum {
    BLOCKS = 2100, /* of one shard: more than a chunk, and than its first buckets take */
    FILLED = 2044,
    IDLE = -1,
    ALL = -2,      /* the child clears the table */
    READ_EACH = 3, /* a prime: in time it meets every instruction of a loop */
};

/* What the child has done, in memory that both see. */
struct story {
    volatile int32_t busy;           /* the block it is at, IDLE or ALL */
    volatile uint64_t sizes[BLOCKS]; /* UINT64_MAX: not live */
    volatile uint64_t new_size;      /* of the block it is at, UINT64_MAX: to be removed */
    uint64_t addresses[BLOCKS];
    uint32_t stack;
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

static void insert(int block, uint64_t size)
{
    story->new_size = size;
    story->busy = block;
    asnap_records_insert(story->addresses[block], size, story->stack);
    story->sizes[block] = size;
    story->busy = IDLE;
}

static void drop(int block)
{
    struct asnap_removed removed;
    story->new_size = UINT64_MAX;
    story->busy = block;
    asnap_records_remove(story->addresses[block], &removed);
    story->sizes[block] = UINT64_MAX;
    story->busy = IDLE;
}

static void clear(void)
{
    story->busy = ALL;
    asnap_records_clear();
    for (int i = 0; i < BLOCKS; i++)
        story->sizes[i] = UINT64_MAX;
    story->busy = IDLE;
}

/* New stacks all the while: the tree grows too. */
static void act(void)
{
    for (int block = FILLED; block < FILLED + 20; block++) {
        uint64_t frames[3] = {0x100000u + (unsigned)block, 0x2000, 0x3000};
        story->stack = asnap_stacks_intern(frames, 3, 0);
        insert(block, (uint64_t)block);
    }
    for (int block = 0; block < 40; block++) {
        drop(block * 7);
        insert(block * 7 + 1, 5000 + (uint64_t)block);
    }
    clear();
    for (int block = 0; block < 10; block++)
        insert(block, 9);
}

static void be_the_child(void)
{
    uint64_t frame = 0x4000;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    own_table_open();
    story->stack = asnap_stacks_intern(&frame, 1, 0);
    for (int block = 0; block < FILLED; block++)
        insert(block, 100 + (uint64_t)block);
    raise(SIGSTOP);
    act();
    raise(SIGSTOP);
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

/* Whether the table is as the story says, but for what is under way. */
static bool agrees(pid_t child)
{
    static uint8_t seen[BLOCKS];
    struct asnap_memory memory = {.read = read_child, .context = &child};
    struct asnap_raw *raw = NULL;
    if (!asnap_unit_ok(asnap_raw_read(&memory, (uintptr_t)&allocsnap_root, NULL, &raw), __FILE__,
                       __LINE__))
        return false;
    memset(seen, 0, sizeof(seen));
    int32_t busy = story->busy;
    bool good = true;
    for (size_t i = 0; i < raw->trace_count; i++) {
        const struct asnap_trace *trace = &raw->traces[i];
        int block = find_block(trace->address);
        if (block < 0 || seen[block]++ != 0)
            good = false;
        else if (trace->size != story->sizes[block] &&
                 (block != busy || trace->size != story->new_size))
            good = false;
    }
    for (int i = 0; i < BLOCKS && busy != ALL; i++)
        good = good && (seen[i] != 0 || story->sizes[i] == UINT64_MAX || i == busy);
    good = good && raw->unreadable_bytes == 0 && raw->unreadable_nodes == 0;
    asnap_raw_destroy(raw);
    return good;
}

ASNAP_TEST(table_steps, is_readable_at_every_instruction)
{
    story = mmap(NULL, sizeof(*story), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(story != MAP_FAILED);
    place_blocks();
    memset((void *)story->sizes, 0xff, sizeof(story->sizes));
    story->busy = IDLE;
    pid_t child = fork();
    if (child == 0)
        be_the_child();
    int status = 0;
    CU_ASSERT_FATAL(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    long steps = 0;
    long wrong = 0;
    /* The second SIGSTOP ends it. */
    while (wrong == 0 && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGTRAP) {
        if (++steps % READ_EACH == 0)
            wrong += !agrees(child);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(steps > 10000);
    CU_ASSERT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CU_ASSERT(agrees(child));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    munmap(story, sizeof(*story));
}
